// Find the items that the newest published run calls similar to an item, and which run made that list.
// $item_id  string        id of the item
// $k        integer = 10  how many items
// returns item, title, score, rank, model, run
MATCH (run:Run) WHERE run.activated_at IS NOT NULL
WITH run ORDER BY run.activated_at DESC, run.id LIMIT 1
MATCH (item:Item {id: $item_id})-[edge:SIMILAR]->(other:Item)
WHERE edge.run IN run.layers AND NOT EXISTS { (item)-[:WITHDRAWN]->(run) }
WITH run, collect({run: edge.run, item: other, score: edge.score, rank: edge.rank}) AS rows
WITH rows, [layer IN run.layers WHERE layer IN [row IN rows | row.run]][0] AS newest
MATCH (maker:Run {number: newest})
UNWIND [row IN rows WHERE row.run = newest] AS row
RETURN row.item.id AS item, row.item.title AS title, row.score AS score, row.rank AS rank, maker.model AS model,
       maker.id AS run
ORDER BY rank, item LIMIT $k
