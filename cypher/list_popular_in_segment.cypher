// List what users of a segment chose most: users with a value of a property, or linked to a node such as a group.
// $by     string        property of the users, such as occupation, or the label of the nodes that they are linked to
// $value  string        value of the property, or id of the node
// $k      integer = 10  how many items
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
