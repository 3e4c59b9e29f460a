-- A user's state is whole: sums of 0 or more, counts of 1 or more, newest items with the day of the newest.
SELECT user_id, rating_count, rating_total, last_day, size(recent) AS recent_items
FROM {user_state_new}
WHERE user_id IS NULL OR coalesce(rating_count, -1) < 0 OR rating_total IS NULL OR recent IS NULL
   OR (last_day IS NULL) <> (size(recent) = 0)
   OR category_counts IS NULL OR array_min(map_values(category_counts)) < 1
