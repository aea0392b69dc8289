// Find users who may like an item: those with the item in their published list, and those who liked similar items.
// $item_id  string        id of the item
// $similar  integer = 10  number of similar items, by common users
// $k        integer = 20  number of users, those with the item in their list first
// returns user, rank, liked, examples
MATCH (item:Item {id: $item_id})
CALL (item) {
  CALL () {
    MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
    RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
  }
  MATCH (item)<-[edge:RECOMMENDED]-(user:User)
  WHERE edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
  MATCH (user)-[other:RECOMMENDED]->(:Item) WHERE other.version IN run.layers
  WITH run, user, edge, collect(DISTINCT other.version) AS versions
  WHERE edge.version = [layer IN run.layers WHERE layer IN versions][0]
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
