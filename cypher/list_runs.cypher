// List the runs that were published, the newest first.
// returns run, model, status, verdict, created_at, edges
MATCH (node:Run)
OPTIONAL MATCH (:User)-[edge:RECOMMENDED {run: node.id}]->(:Item)
WITH node, count(edge) AS edges
ORDER BY node.published_at DESC
RETURN node.id AS run, node.model AS model, node.status AS status, node.verdict AS verdict,
       node.created_at AS created_at, edges
