// List items that friends, or users whom the user follows or trusts, liked and that are new to the user.
// $user_id  string        id of the user
// $k        integer = 10  number of items
// returns item, title, friends, examples
// served
MATCH (user:User {id: $user_id})-[social:FRIEND|FOLLOWS|TRUSTS]-(friend:User)
WHERE (type(social) = 'FRIEND' OR startNode(social) = user) AND coalesce(social.value, social.weight, 1) > 0
WITH DISTINCT user, friend
MATCH (friend)-[edge:!RECOMMENDED&!SHOWN]->(item:Item)
WITH user, friend, item, max(edge.rating) AS rating
WITH user, friend, avg(rating) AS mean, collect({item: item, rating: rating}) AS rows
UNWIND [row IN rows WHERE row.rating IS NULL OR row.rating > mean - 0.001 | row.item] AS item
WITH user, item, friend.id AS name ORDER BY name
WITH user, item, collect(name) AS names
WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(item) }
RETURN item.id AS item, item.title AS title, size(names) AS friends, names[..5] AS examples
ORDER BY friends DESC, item LIMIT $k
