// Find items with the same users: cosine of the sets of users, among the 200 items with most common users.
// $item_id  string        id of the item
// $k        integer = 10  number of items
// returns item, title, similarity, common_users
// served
MATCH (item:Item {id: $item_id})<-[:!RECOMMENDED&!SHOWN]-(user:User)
WITH item, count(DISTINCT user) AS degree
MATCH (item)<-[:!RECOMMENDED&!SHOWN]-(user:User)
WITH DISTINCT item, degree, user
MATCH (user)-[:!RECOMMENDED&!SHOWN]->(other:Item) WHERE other <> item
WITH degree, other, count(DISTINCT user) AS common_users
ORDER BY common_users DESC, other.id LIMIT 200
MATCH (other)<-[:!RECOMMENDED&!SHOWN]-(user:User)
WITH degree, other, common_users, count(DISTINCT user) AS other_degree
RETURN other.id AS item, other.title AS title, common_users / sqrt(toFloat(degree) * other_degree) AS similarity,
       common_users
ORDER BY similarity DESC, item LIMIT $k
