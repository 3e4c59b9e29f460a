-- An item is there once.
SELECT item_id, count(*) AS times
FROM {item_metadata}
GROUP BY item_id
HAVING count(*) > 1
