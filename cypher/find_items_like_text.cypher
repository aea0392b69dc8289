// Find items by a text: cosine of its vector and those that `graphrec embed Item` wrote on items.
// $text  vector        a text, which graphrec encodes, in other programs the vector of a text
// $k     integer = 10  number of items
// returns item, title, similarity
// The function of Neo4j maps the cosine to 0 … 1, that of the embedded store does not: the value for orthogonal vectors
// shows which of them it is.
WITH vector.similarity.cosine([1.0, 0.0], [0.0, 1.0]) AS zero
MATCH (item:Item) WHERE size(item.text_embedding) = size($text)
WITH item, (vector.similarity.cosine(item.text_embedding, $text) - zero) / (1 - zero) AS similarity
RETURN item.id AS item, item.title AS title, similarity
ORDER BY similarity DESC, item LIMIT $k
