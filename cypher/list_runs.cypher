// List all published runs, the active one first. Runs with layers are available for a rollback.
// returns run, version, model, status, verdict, created_at, layers
MATCH (node:Run)
RETURN node.id AS run, node.version AS version, node.model AS model, node.status AS status, node.verdict AS verdict,
       node.created_at AS created_at, node.layers AS layers
ORDER BY coalesce(node.activated_at, 0) DESC, run
