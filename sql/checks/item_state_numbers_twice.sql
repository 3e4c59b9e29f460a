-- An item has a number of its own.
SELECT number, count(*) AS times
FROM {item_state}
GROUP BY number
HAVING count(*) > 1
