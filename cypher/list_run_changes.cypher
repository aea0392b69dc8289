// List the items whose number of recommendations differs between two runs, the greatest change first.
// $old_run_id  string        id of a published run
// $new_run_id  string        id of another published run
// $k           integer = 10  number of items
// returns item, title, old_users, new_users, change
MATCH (run:Run) WHERE run.id IN [$old_run_id, $new_run_id]
MATCH (user:User)-[edge:RECOMMENDED]->(item:Item)
WHERE edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH run, user, collect({version: edge.version, item: item}) AS rows
WITH run, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
UNWIND [row IN rows WHERE row.version = newest | row.item] AS item
WITH item, sum(CASE WHEN run.id = $old_run_id THEN 1 ELSE 0 END) AS old_users,
     sum(CASE WHEN run.id = $new_run_id THEN 1 ELSE 0 END) AS new_users
WHERE old_users <> new_users
RETURN item.id AS item, item.title AS title, old_users, new_users, new_users - old_users AS change
ORDER BY abs(change) DESC, change DESC, item LIMIT $k
