-- Every event names a user, an item, a time and a kind.
SELECT user_id, item_id, event_time, event_type, source
FROM {interactions}
WHERE user_id IS NULL OR trim(user_id) = ''
   OR item_id IS NULL OR trim(item_id) = ''
   OR event_time IS NULL
   OR event_type IS NULL OR trim(event_type) = ''
