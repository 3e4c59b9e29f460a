-- Every item has an id, and says what it has instead of leaving it open.
SELECT item_id, title, categories, attributes
FROM {items}
WHERE item_id IS NULL OR trim(item_id) = '' OR categories IS NULL OR attributes IS NULL
