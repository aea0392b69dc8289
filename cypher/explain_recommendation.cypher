// Explain why an item is recommended to a user: the user's own items that share the most users with it.
// $user_id  string       id of the user
// $item_id  string       id of the recommended item
// $k        integer = 5  how many of the user's items
// returns because, title, neighbours, examples
MATCH (:Item {id: $item_id})<-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|CARTED|CLICKED|VIEWED|TAGGED]-(neighbour:User)
WHERE neighbour.id <> $user_id
WITH collect(DISTINCT neighbour.id) AS names
MATCH (:User {id: $user_id})-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|CARTED|CLICKED|VIEWED|TAGGED]->(own:Item)
WHERE own.id <> $item_id
WITH DISTINCT names, own
MATCH (own)<-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|CARTED|CLICKED|VIEWED|TAGGED]-(shared:User)
WHERE shared.id IN names
WITH DISTINCT own, shared.id AS name ORDER BY name
WITH own, collect(name) AS shared
RETURN own.id AS because, own.title AS title, size(shared) AS neighbours, shared[..5] AS examples
ORDER BY neighbours DESC, because LIMIT $k
