-- A profile is whole: a user, attributes and categories that may be empty, one event at least, the first not after the last.
SELECT user_id, interaction_count, first_time, last_time
FROM {user_profile_new}
WHERE user_id IS NULL OR attributes IS NULL OR top_categories IS NULL OR isnan(mean_rating)
   OR coalesce(interaction_count, 0) < 1
   OR first_time IS NULL OR last_time IS NULL OR first_time > last_time
