-- An event is there once.
SELECT user_id, item_id, event_time, event_type, count(*) AS times
FROM {interactions}
GROUP BY user_id, item_id, event_time, event_type
HAVING count(*) > 1
