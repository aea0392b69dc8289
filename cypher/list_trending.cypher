// List the items with most users in a time window, and the number of their users in the equally long window before.
// $since  time = 0       start of the window (0: `days` before its end)
// $until  time = 0       end of the window (0: the latest event in the graph)
// $days   float = 30     length of the window in days if `since` is 0
// $k      integer = 10   number of items
// returns item, title, users, before
MATCH (:User)-[edge:!RECOMMENDED&!SHOWN]->(:Item)
WITH max(edge.timestamp) AS latest
WITH CASE WHEN $until = 0 THEN latest ELSE $until END AS until
WITH until, CASE WHEN $since = 0 THEN until - $days * 86400 ELSE $since END AS since
MATCH (user:User)-[edge:!RECOMMENDED&!SHOWN]->(item:Item)
WHERE since - (until - since) <= edge.timestamp <= until
WITH item, count(DISTINCT CASE WHEN edge.timestamp >= since THEN user END) AS users,
     count(DISTINCT CASE WHEN edge.timestamp < since THEN user END) AS before
WHERE users > 0
RETURN item.id AS item, item.title AS title, users, before
ORDER BY users DESC, before, item LIMIT $k
