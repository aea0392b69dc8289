// Recommend with a reason: a user's published list, each item under the most similar of the recently liked items.
// $user_id  string        id of the user
// $recent   integer = 20  number of recently liked items that may be a reason
// $k        integer = 5   number of items for each reason
// returns because, because_title, item, title, rank, common_users
// served
MATCH (user:User {id: $user_id})-[edge:!RECOMMENDED&!SHOWN]->(own:Item)
WITH user, own, max(edge.rating) AS rating, coalesce(max(edge.timestamp), 0) AS time,
     coalesce(max(edge.count), 0) AS count
WITH user, avg(rating) AS mean, collect({item: own, rating: rating, time: time, count: count}) AS rows
UNWIND [row IN rows WHERE row.rating IS NULL OR row.rating > mean - 0.001] AS row
WITH user, row ORDER BY row.time DESC, row.count DESC, row.item.id LIMIT $recent
WITH user, collect(row.item) AS history
CALL () {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}
MATCH (user)-[edge:RECOMMENDED]->(item:Item)
WHERE edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH user, history, run, collect({version: edge.version, item: item, rank: edge.rank}) AS rows
WITH user, history, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
UNWIND [row IN rows WHERE row.version = newest] AS row
WITH user, history, row, row.item AS item
WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(item) }
WITH user, history, collect(row) AS list
CALL (user, history, list) {
  UNWIND history AS own
  MATCH (own)<-[:!RECOMMENDED&!SHOWN]-(other:User) WHERE other <> user
  WITH own, collect(DISTINCT other) AS others
  UNWIND others AS other
  RETURN other, {item: own, degree: size(others)} AS mine, null AS theirs
  UNION ALL
  UNWIND list AS row
  WITH row, row.item AS item
  MATCH (item)<-[:!RECOMMENDED&!SHOWN]-(other:User)
  RETURN DISTINCT other, null AS mine, row AS theirs
}
WITH other, collect(mine) AS mine, collect(theirs) AS theirs
UNWIND mine AS own
UNWIND theirs AS row
WITH own.item AS own, own.degree AS degree, row.item AS item, row.rank AS rank, count(*) AS common_users
ORDER BY common_users / sqrt(toFloat(degree)) DESC, own.id
WITH item, rank, collect({item: own, common_users: common_users})[0] AS best ORDER BY rank, item.id
WITH best.item AS own, collect({item: item, rank: rank, common_users: best.common_users}) AS rows
WITH own, rows[0].rank AS first, rows[..$k] AS rows
UNWIND rows AS row
RETURN own.id AS because, own.title AS because_title, row.item.id AS item, row.item.title AS title, row.rank AS rank,
       row.common_users AS common_users
ORDER BY first, because, rank, item
