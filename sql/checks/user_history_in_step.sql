-- A history runs from the profile's last event back, newest first, and is no longer than the profile's count.
SELECT histories.user_id, last_time, get(events.event_time, 0) AS newest, interaction_count,
  size(events.event_time) AS kept, events.event_time <> sort_array(events.event_time, false) AS unordered
FROM {user_history_new} AS histories
LEFT JOIN {user_profile} AS profiles ON histories.user_id = profiles.user_id
WHERE NOT last_time <=> get(events.event_time, 0) OR last_time IS NULL
   OR NOT coalesce(size(events.event_time) <= interaction_count, false)
   -- array_contains is null where an element is
   OR coalesce(array_contains(events.event_time, timestamp '0001-01-01'), true)
   OR events.event_time <> sort_array(events.event_time, false)
