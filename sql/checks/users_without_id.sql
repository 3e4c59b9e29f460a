-- Every user has an id.
SELECT user_id, attributes
FROM {users}
WHERE user_id IS NULL OR trim(user_id) = '' OR attributes IS NULL
