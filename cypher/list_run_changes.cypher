// List the items that two runs recommend to different numbers of users, the greatest change first.
// $old_run_id  string        id of a published run
// $new_run_id  string        id of another
// $k           integer = 10  how many items
// returns item, title, old_users, new_users, change
MATCH (run:Run) WHERE run.id IN [$old_run_id, $new_run_id]
MATCH (user:User)-[edge:RECOMMENDED]->(item:Item)
WHERE edge.run IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH run, user, collect({run: edge.run, item: item}) AS rows
WITH run, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.run]][0] AS newest
UNWIND [row IN rows WHERE row.run = newest | row.item] AS item
WITH item, sum(CASE WHEN run.id = $old_run_id THEN 1 ELSE 0 END) AS old_users,
     sum(CASE WHEN run.id = $new_run_id THEN 1 ELSE 0 END) AS new_users
WHERE old_users <> new_users
RETURN item.id AS item, item.title AS title, old_users, new_users, new_users - old_users AS change
ORDER BY abs(change) DESC, change DESC, item LIMIT $k
