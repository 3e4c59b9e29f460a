-- The partition is the UTC date of the event: features of a date read partitions, and would miss or leak the event.
SELECT user_id, item_id, event_time, event_date
FROM {interactions}
WHERE event_date IS NULL OR event_date <> to_date(event_time)
