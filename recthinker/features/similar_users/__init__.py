"""Table `similar_users`: users who recently took up the items that a user took up last.

A user's row is a function of the events known by the user's last active day L, so it changes only when that user acts:
a night computes the rows of those who did and carries the rest. With known order = (known day, time, seeded hash), all
over events of a weight above 0:

- the user's items are the distinct items of the user's newest `similar_items` events;
- an item links the users of its newest `similar_users_per_item` events known by L, and weighs 1 / log2(1 + n), n being
  all its events known by L;
- similarity = weight of the items that link the other user / weight of all the user's items.

`table` lays out the work in Spark, `links` finds whom an item links, `strongest` adds up and ranks, `names` turns
hashes back into ids. An item adds at most `similar_users_per_item` users to a row whatever its popularity, a user at
most `similar_items` items whatever the history: a row costs at most their product.
"""

from recthinker.features.similar_users.names import user_hash
from recthinker.features.similar_users.table import newest_items, similar_users

__all__ = ["newest_items", "similar_users", "user_hash"]
