// List the most popular items in a segment: users with a value of a property, or with a link to a node.
// $by     string        property of users, such as occupation, or label of the linked nodes, such as Club
// $value  string        value of the property, or id of the node
// $k      integer = 10  number of items
// returns item, title, users, share
MATCH (member:User)
WHERE $value IN [part IN member[$by] + [] | toStringOrNull(part)]
   OR EXISTS { MATCH (member)--(node {id: $value}) WHERE $by IN labels(node) }
WITH collect(member) AS members
UNWIND members AS member
MATCH (member)-[:!RECOMMENDED&!SHOWN]->(item:Item)
WITH size(members) AS size, item, count(DISTINCT member) AS users
RETURN item.id AS item, item.title AS title, users, toFloat(users) / size AS share
ORDER BY users DESC, item LIMIT $k
