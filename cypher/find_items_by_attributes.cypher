// Find items by attributes: those with most of the given genres, tags …, the most popular first among equals.
// $values  list          ids of attribute nodes, or tags given by users
// $k       integer = 10  number of items
// returns item, title, found, users
// served
CALL () {
  MATCH (value:!User&!Item&!Run&!Source)<--(item:Item) WHERE value.id IN $values
  RETURN item, value.id AS value
  UNION
  MATCH (:User)-[tagging:TAGGED]->(item:Item) WHERE tagging.tag IN $values
  RETURN item, tagging.tag AS value
}
WITH item, value ORDER BY value
WITH item, collect(value) AS found
OPTIONAL MATCH (item)<-[:!RECOMMENDED&!SHOWN]-(user:User)
WITH item, found, count(DISTINCT user) AS users
RETURN item.id AS item, item.title AS title, found, users
ORDER BY size(found) DESC, users DESC, item LIMIT $k
