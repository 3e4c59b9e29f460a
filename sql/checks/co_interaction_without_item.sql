-- An item with neighbours is in the catalogue of its date.
SELECT rows.item_id
FROM {co_interaction} AS rows
LEFT ANTI JOIN {item_metadata} AS items ON rows.item_id = items.item_id
