// Summarise the graph: numbers of nodes by label, and of relationships by type and labels of their ends.
// returns kind, name, source, target, number
MATCH (node)
UNWIND labels(node) AS label
WITH label, count(*) AS number ORDER BY label
RETURN 'node' AS kind, label AS name, null AS source, null AS target, number
UNION ALL
MATCH (a)-[edge]->(b)
WITH type(edge) AS name, labels(a) AS sources, labels(b) AS targets, count(*) AS number
WITH name, number,
     reduce(first = sources[0], label IN sources | CASE WHEN label < first THEN label ELSE first END) AS source,
     reduce(first = targets[0], label IN targets | CASE WHEN label < first THEN label ELSE first END) AS target
WITH name, source, target, sum(number) AS number ORDER BY name, source, target
RETURN 'relationship' AS kind, name, source, target, number
