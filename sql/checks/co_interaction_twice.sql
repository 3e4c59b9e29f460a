-- An item has one list of neighbours.
SELECT item_id, count(*) AS times
FROM {co_interaction}
GROUP BY item_id
HAVING count(*) > 1
