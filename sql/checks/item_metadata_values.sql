-- An item is whole: id, title, categories and attributes that may be empty, a popularity of 0 or more.
SELECT item_id, title, popularity, popularity_rank
FROM {item_metadata}
WHERE item_id IS NULL OR title IS NULL OR categories IS NULL OR attributes IS NULL OR isnan(mean_rating)
   OR coalesce(popularity, -1) < 0
