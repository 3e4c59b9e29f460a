-- An item's state and its row of the catalogue count the same events.
SELECT coalesce(items.item_id, states.item_id) AS item_id, popularity, events
FROM {item_metadata} AS items
FULL JOIN {item_state} AS states ON items.item_id = states.item_id
WHERE coalesce(popularity, 0) <> coalesce(events, 0) OR items.item_id IS NULL
