// Find the published similar items of an item in the active run, and the run that wrote the list.
// $item_id  string        id of the item
// $k        integer = 10  number of items
// returns item, title, score, rank, model, run
// served
CALL () {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}
MATCH (item:Item {id: $item_id})-[edge:SIMILAR]->(other:Item)
WHERE edge.version IN run.layers AND NOT EXISTS { (item)-[:WITHDRAWN]->(run) }
WITH run, collect({version: edge.version, item: other, score: edge.score, rank: edge.rank}) AS rows
WITH rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
MATCH (maker:Run {version: newest})
UNWIND [row IN rows WHERE row.version = newest] AS row
RETURN row.item.id AS item, row.item.title AS title, row.score AS score, row.rank AS rank, maker.model AS model,
       maker.id AS run
ORDER BY rank, item LIMIT $k
