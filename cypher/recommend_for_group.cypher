// Recommend items to a group of users: those with the lowest mean rank in their published lists that are new to all.
// $user_ids  list          ids of the users
// $k         integer = 10  number of items
// returns item, title, mean_rank, worst_rank, members
// served
CALL () {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}
MATCH (user:User)-[edge:RECOMMENDED]->(item:Item)
WHERE user.id IN $user_ids AND edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH run, user, collect({version: edge.version, item: item, rank: edge.rank}) AS rows
WITH user, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
WITH user, [row IN rows WHERE row.version = newest] AS rows
WITH collect(user) AS users, collect(rows) AS lists, sum(size(rows) + 1) AS absent
UNWIND lists AS list
UNWIND list AS row
WITH users, absent, row.item AS item, collect({rank: row.rank, absent: size(list) + 1}) AS found
WHERE NOT EXISTS { MATCH (member:User)-[:!RECOMMENDED&!SHOWN]->(item) WHERE member.id IN $user_ids }
WITH users, item, size(found) AS members, found, absent
RETURN item.id AS item, item.title AS title,
       reduce(sum = absent, row IN found | sum + row.rank - row.absent) / toFloat(size(users)) AS mean_rank,
       reduce(worst = 0, row IN found | CASE WHEN row.rank > worst THEN row.rank ELSE worst END) AS worst_rank, members
ORDER BY mean_rank, worst_rank, item LIMIT $k
