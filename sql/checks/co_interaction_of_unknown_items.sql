-- Every neighbour of an item is in the catalogue of its date.
-- Hashes are joined: a table of numbers is small, and a missing id meets one of them by chance once in 10^13 ids.
SELECT /*+ BROADCAST(known) */ lists.item_id, lists.listed
FROM (SELECT item_id, explode(neighbours.item_id) AS listed FROM {co_interaction}) AS lists
LEFT ANTI JOIN (SELECT xxhash64(item_id) AS hash FROM {item_metadata}) AS known ON xxhash64(lists.listed) = known.hash
