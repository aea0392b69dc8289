// List the runs that were published, the active one first: those with layers can be rolled back to.
// returns run, number, model, status, verdict, created_at, layers
MATCH (node:Run)
RETURN node.id AS run, node.number AS number, node.model AS model, node.status AS status, node.verdict AS verdict,
       node.created_at AS created_at, node.layers AS layers
ORDER BY coalesce(node.activated_at, 0) DESC, run
