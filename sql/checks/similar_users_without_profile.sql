-- A user with similar users has a profile.
SELECT rows.user_id
FROM {similar_users} AS rows
LEFT ANTI JOIN {user_profile} AS profiles ON rows.user_id = profiles.user_id
