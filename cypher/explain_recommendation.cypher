// Explain a recommendation: the user's items with common users, friends who liked the item, shared attributes.
// $user_id  string       id of the user
// $item_id  string       id of the recommended item
// $k        integer = 5  number of reasons of each kind
// returns kind, because, title, shared, examples
// served
MATCH (user:User {id: $user_id}), (item:Item {id: $item_id})
CALL (user, item) {
  MATCH (user)-[:!RECOMMENDED&!SHOWN]->(own:Item)
  WITH user, item, collect(DISTINCT own) + [item] AS targets
  UNWIND targets AS target
  MATCH (target)<-[:!RECOMMENDED&!SHOWN]-(other:User) WHERE other <> user
  WITH item, other, collect(DISTINCT target) AS targets, max(CASE WHEN target = item THEN 1 ELSE 0 END) AS chose
  WHERE chose = 1
  UNWIND targets AS own
  WITH item, own, other WHERE own <> item
  WITH own, collect(DISTINCT other.id) AS names
  ORDER BY size(names) DESC, own.id LIMIT $k
  UNWIND names AS name
  WITH own, name ORDER BY name
  WITH own, collect(name) AS names
  RETURN 1 AS place, 'item' AS kind, own.id AS because, own.title AS title, names
  UNION ALL
  MATCH (user)-[social:FRIEND|FOLLOWS|TRUSTS]-(friend:User)
  WHERE (type(social) = 'FRIEND' OR startNode(social) = user) AND coalesce(social.value, social.weight, 1) > 0
  WITH DISTINCT user, item, friend
  MATCH (friend)-[edge:!RECOMMENDED&!SHOWN]->(item)
  WITH user, item, friend, max(edge.rating) AS rating
  MATCH (friend)-[edge:!RECOMMENDED&!SHOWN]->(other:Item)
  WITH user, item, friend, rating, avg(edge.rating) AS mean
  WHERE rating IS NULL OR rating > mean - 0.001
  OPTIONAL MATCH (friend)-[:!RECOMMENDED&!SHOWN]->(own:Item)
  WHERE own <> item AND EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(own) }
  WITH DISTINCT friend, own.id AS name ORDER BY name
  WITH friend, collect(name) AS names ORDER BY size(names) DESC, friend.id LIMIT $k
  RETURN 2 AS place, 'friend' AS kind, friend.id AS because, coalesce(friend.title, friend.name) AS title, names
  UNION ALL
  MATCH (item)-->(value:!User&!Item&!Run&!Source)
  WITH user, item, collect(DISTINCT value) AS shared
  MATCH (user)-[:!RECOMMENDED&!SHOWN]->(own:Item) WHERE own <> item
  WITH DISTINCT shared, own
  MATCH (own)-->(value:!User&!Item&!Run&!Source) WHERE value IN shared
  WITH DISTINCT value, own.id AS name ORDER BY name
  WITH value, collect(name) AS names ORDER BY size(names) DESC, value.id LIMIT $k
  RETURN 3 AS place, 'attribute' AS kind, value.id AS because, coalesce(value.title, value.name) AS title, names
}
RETURN kind, because, title, size(names) AS shared, names[..5] AS examples
ORDER BY place, shared DESC, because
