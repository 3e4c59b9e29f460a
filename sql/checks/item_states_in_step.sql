-- An item's state and its row of the catalogue count the same events; an item without events needs no state.
SELECT item_id, sum(item) AS items, sum(state) AS states, sum(popularity) AS popularity, sum(events) AS events
FROM (
  SELECT item_id, 1 AS item, 0 AS state, popularity, 0 AS events FROM {item_metadata}
  UNION ALL
  SELECT item_id, 0, 1, 0, events FROM {item_state}
)
GROUP BY item_id
HAVING item_id IS NULL OR items <> 1 OR states > 1 OR sum(popularity) <> sum(events)
