-- The events counted by user and those counted by item are as many.
SELECT *
FROM
  (SELECT coalesce(sum(interaction_count), 0) AS events_of_users FROM {user_profile}),
  (SELECT coalesce(sum(popularity), 0) AS events_of_items FROM {item_metadata})
WHERE events_of_users <> events_of_items
