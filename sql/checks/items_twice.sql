-- An item is there once.
SELECT item_id, count(*) AS times
FROM {items}
GROUP BY item_id
HAVING count(*) > 1
