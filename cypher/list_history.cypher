// List the behaviour of a user, the newest first if timestamps are known.
// $user_id  string        id of the user
// $k        integer = 10  number of rows
// returns item, title, behaviour, rating, count, tag, timestamp
// served
MATCH (user:User {id: $user_id})-[edge:!RECOMMENDED&!SHOWN]->(item:Item)
RETURN item.id AS item, item.title AS title, type(edge) AS behaviour, edge.rating AS rating, edge.count AS count,
       edge.tag AS tag, edge.timestamp AS timestamp
ORDER BY coalesce(timestamp, 0) DESC, coalesce(count, 0) DESC, item, behaviour, tag LIMIT $k
