// Recommend what few know: of a user's published list, the items outside the head that draws most of all behaviour.
// $user_id  string        id of the user
// $head     float = 0.8   share of all behaviour that the head draws
// $k        integer = 10  how many items
// returns item, title, score, rank, users
MATCH (item:Item)<-[:!RECOMMENDED&!SHOWN]-(other:User)
WITH item, count(DISTINCT other) AS users
WITH users, count(*) AS items ORDER BY users DESC
WITH collect({users: users, events: users * items}) AS groups, sum(users * items) AS events
WITH reduce(walk = {events: 0, users: 0}, part IN groups |
       CASE WHEN walk.events >= $head * events THEN walk
            ELSE {events: walk.events + part.events, users: part.users} END).users AS least
MATCH (run:Run) WHERE run.activated_at IS NOT NULL
WITH least, run ORDER BY run.activated_at DESC, run.id LIMIT 1
MATCH (user:User {id: $user_id})-[edge:RECOMMENDED]->(item:Item)
WHERE edge.run IN run.layers AND NOT EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH least, run, user, collect({run: edge.run, item: item, score: edge.score, rank: edge.rank}) AS rows
WITH least, user, rows, [layer IN run.layers WHERE layer IN [row IN rows | row.run]][0] AS newest
UNWIND [row IN rows WHERE row.run = newest] AS row
WITH least, user, row, row.item AS item
WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(item) }
OPTIONAL MATCH (item)<-[:!RECOMMENDED&!SHOWN]-(other:User)
WITH least, row, item, count(DISTINCT other) AS users
WHERE users < least
RETURN item.id AS item, item.title AS title, row.score AS score, row.rank AS rank, users
ORDER BY rank, item LIMIT $k
