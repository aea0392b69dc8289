// Find items that share genres, tags … with an item, which may be new. Rare attributes have more weight.
// $item_id  string        id of the item
// $k        integer = 10  number of items
// returns item, title, score, shared
// served
// score: sum over the attributes in common of 1 / ln(1 + number of items that have the attribute)
MATCH (item:Item {id: $item_id})
CALL (item) {
  MATCH (item)-->(value:!User&!Item&!Run&!Source)<--(other:Item) WHERE other <> item
  WITH value, collect(DISTINCT other) AS others
  UNWIND others AS other
  RETURN other, value.id AS name, size(others) AS number
  UNION ALL
  MATCH (item)<-[own:TAGGED]-(:User)
  WITH item, own.tag AS tag, count(*) AS times ORDER BY times DESC, tag LIMIT 20
  WITH item, collect(tag) AS tags
  WHERE size(tags) > 0
  MATCH (:User)-[tagging:TAGGED]->(other:Item) WHERE tagging.tag IN tags AND other <> item
  WITH tagging.tag AS name, collect(DISTINCT other) AS others
  UNWIND others AS other
  RETURN other, name, size(others) AS number
}
WITH other, name, number ORDER BY number, name
WITH other, round(sum(1 / log(2.0 + number)), 6) AS score, collect(name) AS shared
RETURN other.id AS item, other.title AS title, score, shared[..10] AS shared
ORDER BY score DESC, item LIMIT $k
