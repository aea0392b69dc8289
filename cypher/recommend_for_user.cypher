// Recommend items to a user: their list in the active run, best first, without items chosen or excluded since then.
// $user_id  string        id of the user
// $k        integer = 10  number of items
// returns item, title, score, rank, model, run
// served
CALL () {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}
MATCH (user:User {id: $user_id})-[edge:RECOMMENDED]->(item:Item)
WHERE edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH run, user, collect({version: edge.version, item: item, score: edge.score, rank: edge.rank}) AS rows
WITH run, user, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
UNWIND [row IN rows WHERE row.version = newest] AS row
WITH run, user, row, row.item AS item
WHERE NOT EXISTS { MATCH (user)-[done]->(item) WHERE type(done) IN [run.relation, 'DISMISSED', 'NOT_INTERESTED'] }
  AND NOT EXISTS {
    MATCH (user)-[hidden:HIDDEN]->(item)
    WHERE coalesce(hidden.timestamp, timestamp() / 1000) > timestamp() / 1000 - 30 * 86400
  }
WITH run, item, row ORDER BY row.rank LIMIT $k
RETURN item.id AS item, item.title AS title, row.score AS score, row.rank AS rank, run.model AS model, run.id AS run
