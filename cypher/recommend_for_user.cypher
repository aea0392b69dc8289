// Recommend items to a user: the newest published run's list for this user, best first.
// $user_id  string        id of the user
// $k        integer = 10  how many items
// returns item, title, score, rank, model, run
MATCH (user:User {id: $user_id})-[edge:RECOMMENDED]->(item:Item)
MATCH (run:Run {id: edge.run})
WITH run, edge, item ORDER BY edge.rank
WITH run, collect({item: item.id, title: item.title, score: edge.score, rank: edge.rank}) AS rows
ORDER BY run.published_at DESC LIMIT 1
UNWIND rows[..$k] AS row
RETURN row.item AS item, row.title AS title, row.score AS score, row.rank AS rank, run.model AS model, run.id AS run
