-- An item has one neighbourhood in the knowledge graph.
SELECT item_id, count(*) AS times
FROM {item_relation}
GROUP BY item_id
HAVING count(*) > 1
