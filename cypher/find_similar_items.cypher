// Find items that the same users chose: cosine of the two items' sets of users, among the 200 that share most.
// $item_id  string        id of the item
// $k        integer = 10  how many items
// returns item, title, similarity, common_users
MATCH (:Item {id: $item_id})<-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|CARTED|CLICKED|VIEWED|TAGGED]-(user:User)
WITH collect(DISTINCT user) AS users
UNWIND users AS user
MATCH (user)-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|CARTED|CLICKED|VIEWED|TAGGED]->(other:Item)
WHERE other.id <> $item_id
WITH users, user, collect(DISTINCT other) AS others
UNWIND others AS other
WITH size(users) AS degree, other, count(*) AS common_users
ORDER BY common_users DESC, other.id LIMIT 200
MATCH (other)<-[:PURCHASED|RATED|REVIEWED|LISTENED|PLAYED|CARTED|CLICKED|VIEWED|TAGGED]-(user:User)
WITH degree, other, common_users, count(DISTINCT user) AS other_degree
RETURN other.id AS item, other.title AS title, common_users / sqrt(toFloat(degree) * other_degree) AS similarity,
       common_users
ORDER BY similarity DESC, item LIMIT $k
