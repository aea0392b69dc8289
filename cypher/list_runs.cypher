// List the runs that were published, the newest first.
// returns run, model, status, created_at, edges
MATCH (run:Run)
RETURN run.id AS run, run.model AS model, run.status AS status, run.created_at AS created_at,
       COUNT { (:User)-[edge:RECOMMENDED]->(:Item) WHERE edge.run = run.id } AS edges
ORDER BY run.published_at DESC
