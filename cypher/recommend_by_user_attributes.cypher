// Recommend to a user without behaviour: the items of the 50 users who share most attributes, rare ones weighing more.
// $user_id  string        id of the user
// $k        integer = 10  number of items
// returns item, title, score, users
// served
// similarity of two users: sum over the attributes in common of 1 / ln(1 + number of users who have the attribute)
MATCH (user:User {id: $user_id})
CALL (user) {
  MATCH (user)-->(value:!User&!Item&!Run&!Source)<--(other:User) WHERE other <> user
  WITH value, collect(DISTINCT other) AS others
  UNWIND others AS other
  RETURN other, size(others) AS number
  UNION ALL
  UNWIND [name IN keys(user) WHERE NOT name IN ['id', 'keys'] AND NOT name CONTAINS ':'] AS name
  MATCH (other:User) WHERE other[name] = user[name] AND other <> user
  WITH name, collect(other) AS others
  UNWIND others AS other
  RETURN other, size(others) AS number
}
WITH user, other, round(sum(1 / log(2.0 + number)), 6) AS alike
ORDER BY alike DESC, other.id LIMIT 50
MATCH (other)-[:!RECOMMENDED&!SHOWN]->(item:Item)
WITH DISTINCT user, other, alike, item
WITH user, item, round(sum(alike), 6) AS score, count(*) AS users
WHERE NOT EXISTS { (user)-[:!RECOMMENDED&!SHOWN]->(item) }
RETURN item.id AS item, item.title AS title, score, users
ORDER BY score DESC, item LIMIT $k
