-- An edge is there once.
SELECT head_item_id, relation, tail_id, count(*) AS times
FROM {item_relations}
GROUP BY head_item_id, relation, tail_id
HAVING count(*) > 1
