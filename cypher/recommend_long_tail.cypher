// Recommend from the long tail: items of a user's published list outside the most popular ones (the head).
// $user_id  string        id of the user
// $head     float = 0.8   share of all behaviour that the items of the head have
// $k        integer = 10  number of items
// returns item, title, score, rank, users
MATCH (item:Item)<-[:!RECOMMENDED&!SHOWN]-(other:User)
WITH item, count(DISTINCT other) AS users
WITH users, count(*) AS items ORDER BY users DESC
WITH collect({users: users, events: users * items}) AS groups, sum(users * items) AS events
WITH reduce(walk = {events: 0, users: 0}, part IN groups |
       CASE WHEN walk.events >= $head * events THEN walk
            ELSE {events: walk.events + part.events, users: part.users} END).users AS least
CALL () {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}
MATCH (user:User {id: $user_id})-[edge:RECOMMENDED]->(item:Item)
WHERE edge.version IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH least, run, user, collect({version: edge.version, item: item, score: edge.score, rank: edge.rank}) AS rows
WITH least, user, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.version]][0] AS newest
UNWIND [row IN rows WHERE row.version = newest] AS row
WITH least, user, row, row.item AS item
WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(item) }
OPTIONAL MATCH (item)<-[:!RECOMMENDED&!SHOWN]-(other:User)
WITH least, row, item, count(DISTINCT other) AS users
WHERE users < least
RETURN item.id AS item, item.title AS title, row.score AS score, row.rank AS rank, users
ORDER BY rank, item LIMIT $k
