// Check the graph for defects: the number of occurrences of each kind (0: none), and the first five.
// returns finding, number, examples
MATCH (node) WHERE node.id IS NULL
WITH collect(labels(node)[0]) AS found
RETURN 'nodes without an id' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
MATCH (node) WHERE NOT (node)--() AND NOT node:Run AND NOT node:Source AND NOT node:WriteLease
  AND NOT node:StreamPosition AND NOT node:RejectedEvent AND NOT node:Operator AND NOT node:Decision
  AND NOT node:Experiment
WITH coalesce(node.id, labels(node)[0]) AS id ORDER BY id
WITH collect(id) AS found
RETURN 'nodes without relationships' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
MATCH (node)
UNWIND node.keys AS key
UNWIND labels(node) AS label
WITH label, key, count(*) AS nodes WHERE nodes > 1
WITH key ORDER BY key
WITH collect(key) AS found
RETURN 'keys of several nodes' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
MATCH (start)-[edge]->(end) WHERE edge.source IS NOT NULL
WITH start, type(edge) AS type, edge.source AS source, count(edge) AS edges, count(DISTINCT end.id) AS ends
WHERE edges > ends
WITH start, type, source, edges - ends AS surplus ORDER BY surplus DESC LIMIT 1000
MATCH (start)-[edge]->(end) WHERE type(edge) = type AND edge.source = source
WITH start, type, source, end, properties(edge) AS properties, count(*) AS times WHERE times > 1
WITH source + ': ' + start.id + ' ' + type + ' ' + end.id AS name, times ORDER BY name
WITH collect(name) AS found, coalesce(sum(times - 1), 0) AS number
RETURN 'duplicate edges of a source (load it again)' AS finding, number, found[..5] AS examples
UNION ALL
MATCH (user:User) WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(:Item) }
WITH user.id AS id ORDER BY id
WITH collect(id) AS found
RETURN 'users without behaviour' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
MATCH (item:Item) WHERE NOT EXISTS { (item)<-[:!RECOMMENDED&!SHOWN]-(:User) }
WITH item.id AS id ORDER BY id
WITH collect(id) AS found
RETURN 'items without behaviour' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
MATCH (run:Run {status: 'publishing'})
WITH run.id AS id ORDER BY id
WITH collect(id) AS found
RETURN 'runs whose publication is unfinished' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
CALL () {
  MATCH (run:Run) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}
MATCH (user:User)
WHERE NOT EXISTS { MATCH (user)-[edge:RECOMMENDED]->(:Item) WHERE edge.version IN run.layers }
   OR EXISTS { (user)-[:WITHDRAWN]->(run) }
WITH user.id AS id ORDER BY id
WITH collect(id) AS found
RETURN 'users without a list in the active run' AS finding, size(found) AS number, found[..5] AS examples
UNION ALL
MATCH (:User|Item)-[edge:RECOMMENDED|SIMILAR]->()
WITH edge.version AS version, count(*) AS edges
WHERE NOT EXISTS { MATCH (:Run {version: version}) }
WITH toString(version) AS version, edges ORDER BY version
WITH collect(version) AS found, sum(edges) AS number
RETURN 'recommendation edges of a deleted run' AS finding, number, found[..5] AS examples
