-- A user with candidates has a profile.
SELECT offered.user_id
FROM {candidates} AS offered
LEFT ANTI JOIN {user_profile} AS profiles ON offered.user_id = profiles.user_id
