-- Every item of a history is in the catalogue of its date.
-- Joined by hash: numbers are small to hold, and an unknown id meets a known hash once in 10^13 times.
SELECT /*+ BROADCAST(known) */ user_id, listed AS item_id
FROM (SELECT user_id, explode(events.item_id) AS listed FROM {user_history_new})
LEFT ANTI JOIN (SELECT xxhash64(item_id) AS hash FROM {item_metadata}) AS known ON xxhash64(listed) = hash
