// Find who would like an item: users whose published list has it, and users who liked the items most similar to it.
// $item_id  string        id of the item
// $similar  integer = 10  how many similar items are looked at, found by common users
// $k        integer = 20  how many users, those of the published lists first
// returns user, rank, liked, examples
MATCH (item:Item {id: $item_id})
CALL (item) {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL
  WITH item, run ORDER BY run.activated_at DESC, run.id LIMIT 1
  MATCH (item)<-[edge:RECOMMENDED]-(user:User)
  WHERE edge.run IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
  MATCH (user)-[other:RECOMMENDED]->(:Item) WHERE other.run IN run.layers
  WITH run, user, edge, collect(DISTINCT other.run) AS runs
  WHERE edge.run = [layer IN run.layers WHERE layer IN runs][0]
  RETURN user, edge.rank AS rank, null AS liked
  UNION ALL
  MATCH (item)<-[:!RECOMMENDED&!SHOWN]-(other:User)
  WITH DISTINCT item, other
  MATCH (other)-[:!RECOMMENDED&!SHOWN]->(near:Item) WHERE near <> item
  WITH near, count(DISTINCT other) AS common_users
  ORDER BY common_users DESC, near.id LIMIT 200
  MATCH (near)<-[:!RECOMMENDED&!SHOWN]-(other:User)
  WITH near, common_users, count(DISTINCT other) AS degree
  ORDER BY common_users / sqrt(toFloat(degree)) DESC, near.id LIMIT $similar
  MATCH (near)<-[edge:!RECOMMENDED&!SHOWN]-(user:User)
  WITH user, near, max(edge.rating) AS rating
  WITH user, collect({item: near.id, rating: rating}) AS rows
  MATCH (user)-[edge:!RECOMMENDED&!SHOWN]->(:Item)
  WITH user, rows, avg(edge.rating) AS mean
  UNWIND [row IN rows WHERE row.rating IS NULL OR row.rating > mean - 0.001 | row.item] AS liked
  RETURN user, null AS rank, liked
}
WITH item, user, rank, liked ORDER BY liked
WITH item, user, min(rank) AS rank, collect(liked) AS liked
WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(item) }
RETURN user.id AS user, rank, size(liked) AS liked, liked[..5] AS examples
ORDER BY rank IS NULL, rank, liked DESC, user LIMIT $k
