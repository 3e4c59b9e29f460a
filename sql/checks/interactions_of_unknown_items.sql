-- Every event's item is in the catalogue.
SELECT events.item_id, events.user_id, events.event_time, events.source
FROM {interactions} AS events
LEFT ANTI JOIN {items} AS items ON events.item_id = items.item_id
