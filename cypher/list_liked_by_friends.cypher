// List what a user's friends, and those whom the user follows or trusts, chose and the user did not.
// $user_id  string        id of the user
// $k        integer = 10  how many items
// returns item, title, friends, examples
MATCH (user:User {id: $user_id})-[social:FRIEND|FOLLOWS|TRUSTS]-(friend:User)
WHERE type(social) = 'FRIEND' OR startNode(social) = user
WITH DISTINCT user, friend
MATCH (friend)-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|INTERACTED|SHELVED|TIPPED|CARTED|CLICKED|VIEWED|TAGGED]->(item:Item)
WHERE NOT EXISTS { (user)-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|INTERACTED|SHELVED|TIPPED|CARTED|CLICKED|VIEWED|TAGGED]->(item) }
WITH DISTINCT item, friend.id AS name ORDER BY name
WITH item, collect(name) AS names
RETURN item.id AS item, item.title AS title, size(names) AS friends, names[..5] AS examples
ORDER BY friends DESC, item LIMIT $k
