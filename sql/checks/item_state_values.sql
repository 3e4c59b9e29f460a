-- An item's state is whole: a number, and counts of 0 or more that are at most its events.
SELECT item_id, number, events, paired, rating_count
FROM {item_state}
WHERE item_id IS NULL OR number IS NULL OR rating_total IS NULL OR recent_users IS NULL
   OR NOT coalesce(paired BETWEEN 0 AND events, false)
   OR NOT coalesce(rating_count BETWEEN 0 AND events, false)
