// Recommend items to a user: the active run's list for this user, best first, without what the user did since.
// $user_id  string        id of the user
// $k        integer = 10  how many items
// returns item, title, score, rank, model, run
MATCH (run:Run) WHERE run.activated_at IS NOT NULL
WITH run ORDER BY run.activated_at DESC LIMIT 1
MATCH (user:User {id: $user_id})-[edge:RECOMMENDED]->(item:Item)
WHERE edge.run IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH run, user, collect({layer: edge.run, item: item, score: edge.score, rank: edge.rank}) AS rows
WITH run, user, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.layer]][0] AS newest
UNWIND [row IN rows WHERE row.layer = newest] AS row
WITH run, user, row, row.item AS item
WHERE NOT EXISTS { MATCH (user)-[done]->(item) WHERE type(done) = run.relation }
WITH run, item, row ORDER BY row.rank LIMIT $k
RETURN item.id AS item, item.title AS title, row.score AS score, row.rank AS rank, run.model AS model, run.id AS run
