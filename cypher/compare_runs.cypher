// Compare the lists of two runs: number of users with a list in both or one, mean overlap, items gained and lost.
// $old_run_id  string  id of a published run
// $new_run_id  string  id of the published run to compare it with
// returns users, only_old, only_new, same, overlap, items, gained, lost
MATCH (run:Run) WHERE run.id IN [$old_run_id, $new_run_id]
MATCH (user:User)-[edge:RECOMMENDED]->(item:Item)
WHERE edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH run, user, collect({version: edge.version, item: item.id}) AS rows
WITH run, user, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
WITH run, user, [row IN rows WHERE row.version = newest | row.item] AS list
WITH user, collect(CASE WHEN run.id = $old_run_id THEN list END)[0] AS before,
     collect(CASE WHEN run.id = $new_run_id THEN list END)[0] AS after
WITH before, after, size([item IN before WHERE item IN after]) AS common
WITH collect({before: before, after: after}) AS pairs,
     sum(CASE WHEN before IS NOT NULL AND after IS NOT NULL THEN 1 ELSE 0 END) AS users,
     sum(CASE WHEN after IS NULL THEN 1 ELSE 0 END) AS only_old,
     sum(CASE WHEN before IS NULL THEN 1 ELSE 0 END) AS only_new,
     sum(CASE WHEN common = size(before) AND common = size(after) THEN 1 ELSE 0 END) AS same,
     avg(toFloat(common) / (size(before) + size(after) - common)) AS overlap
CALL (pairs) {
  UNWIND pairs AS pair
  UNWIND [item IN coalesce(pair.before, []) | {item: item, before: 1, after: 0}] +
         [item IN coalesce(pair.after, []) | {item: item, before: 0, after: 1}] AS row
  WITH row.item AS item, max(row.before) AS before, max(row.after) AS after
  RETURN sum(before * after) AS items, sum(CASE WHEN before = 0 THEN 1 ELSE 0 END) AS gained,
         sum(CASE WHEN after = 0 THEN 1 ELSE 0 END) AS lost
}
RETURN users, only_old, only_new, same, overlap, items, gained, lost
