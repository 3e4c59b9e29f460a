-- A history has events, each with an item of the catalogue, a time and a type.
-- Joined by hash: numbers are small to hold, and an unknown id meets a known hash once in 10^13 times.
SELECT /*+ BROADCAST(known) */ user_id, item_id, event_time, event_type, hash IS NOT NULL AS is_known
FROM (SELECT user_id, inline_outer(events) FROM {user_history})
LEFT JOIN (SELECT xxhash64(item_id) AS hash FROM {item_metadata}) AS known ON xxhash64(item_id) = hash
WHERE hash IS NULL OR user_id IS NULL OR item_id IS NULL OR event_time IS NULL OR event_type IS NULL
