-- An item has one state and a number of its own.
SELECT item_id, NULL AS number, count(*) AS times
FROM {item_state}
GROUP BY item_id
HAVING count(*) > 1
UNION ALL
SELECT NULL, number, count(*)
FROM {item_state}
GROUP BY number
HAVING count(*) > 1
