-- A history has events, each with item, time and type, newest first.
SELECT user_id, size(events.item_id) AS events
FROM {user_history}
WHERE user_id IS NULL OR coalesce(size(events.item_id), 0) < 1
   -- array_contains is null where an element is
   OR array_contains(events.item_id, '') IS NOT FALSE
   OR array_contains(events.event_type, '') IS NOT FALSE
   OR array_contains(events.event_time, timestamp '0001-01-01') IS NOT FALSE
   OR events.event_time <> sort_array(events.event_time, false)
