-- A rating, where there is one, is a finite number.
SELECT user_id, item_id, event_time, rating
FROM {interactions}
WHERE isnan(rating) OR abs(rating) = double('Infinity')
