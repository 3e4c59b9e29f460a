"""A seeded world of any size: Zipf users meet Zipf items, one Arrow table a day, so that memory stays bounded.

A day depends on the world's settings and its own number only: days can be made in any order, and more of them later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa

from recthinker.tables.schemas import INTERACTIONS

MICROS = 1_000_000
DAY = 24 * 3600 * MICROS
USER_EXPONENT, USER_SHIFT = 0.7, 20
ITEM_EXPONENT, ITEM_SHIFT = 1.0, 10
EVENT_TYPES = {"view": 0.85, "impression": 0.05, "cart": 0.05, "purchase": 0.03, "rating": 0.02}
PLANTED_USER = "planted"
LONGEST_DELAY_DAYS = 3
"""A late event arrives at most so many days after the last moment at which it would have been in time."""


@dataclass(frozen=True)
class World:
    """What is made; equal worlds are equal rows."""

    events: int = 100_000
    """Without those of the planted user."""
    users: int = 2_000
    items: int = 1_000
    days: int = 180
    last_day: date = date(2026, 3, 31)
    late_share: float = 0.002
    """Share of the events that arrive after the grace."""
    grace_h: float = 2
    """`features.arrival_grace_h` of the build."""
    planted_events: int = 0
    """Events of one more user, spread over all days."""
    half_category: bool = False
    """Whether one category holds half of all items."""
    seed: int = 1

    def day(self, index: int) -> date:
        """The date of day 0, 1, ...; `days` is the day after the last."""
        return self.last_day - timedelta(days=self.days - 1 - index)

    def event_days(self) -> Iterator[pa.Table]:
        """The rows of `interactions`, one table a day, oldest first."""
        for index in range(self.days):
            count, planted = (_share(total, self.days, index) for total in (self.events, self.planted_events))
            yield self.events_of(index, count, planted=planted)

    def events_of(self, index: int, count: int, *, planted: int = 0, late_share: float | None = None) -> pa.Table:
        """`count` events of day `index`, in order of time, and `planted` ones of the planted user.

        `late_share` replaces the world's: 1 makes events of an old day that arrive only now (`arrived_on`).
        """
        rng = np.random.default_rng([self.seed, index])
        users = np.append(_draw(rng, self._user_weights, count), np.full(planted, self.users))
        items = _draw(rng, self._item_weights, count + planted)
        kinds = _draw(rng, np.cumsum(list(EVENT_TYPES.values())), count + planted)
        offsets = np.sort(rng.integers(0, DAY, count + planted))
        order = rng.permutation(count + planted)
        late = rng.random(count + planted) < (self.late_share if late_share is None else late_share)
        arrivals = np.where(late, self._late(rng, late.size), offsets + rng.integers(MICROS, 300 * MICROS, late.size))
        return self._table(self.day(index), users[order], items, kinds, offsets, arrivals, rng)

    def arrived_on(self, index: int, count: int) -> pa.Table:
        """`count` events of the day before day `index` that arrived on day `index`, after the grace of their own."""
        rows = self.events_of(index - 1, count, late_share=0)
        first = _midnight(self.day(index)) + int(self.grace_h * 3600 * MICROS)
        rng = np.random.default_rng([self.seed, index, 1])
        # Other moments than those of the day's first events, so that no event is there twice.
        moved = pa.array(_midnight(self.day(index - 1)) + np.sort(rng.integers(0, DAY, count)), _type("event_time"))
        arrived = pa.array(first + rng.integers(0, DAY // 2, count), _type("ingested_at"))
        at = rows.schema.get_field_index
        rows = rows.set_column(at("event_time"), rows.schema.field("event_time"), moved)
        return rows.set_column(at("ingested_at"), rows.schema.field("ingested_at"), arrived)

    def _late(self, rng: np.random.Generator, count: int) -> np.ndarray:
        first = DAY + int(self.grace_h * 3600 * MICROS)
        return first + rng.integers(0, LONGEST_DELAY_DAYS * DAY, count)

    def _table(
        self,
        day: date,
        users: np.ndarray,
        items: np.ndarray,
        kinds: np.ndarray,
        offsets: np.ndarray,
        arrivals: np.ndarray,
        rng: np.random.Generator,
    ) -> pa.Table:
        start, rows = _midnight(day), len(items)
        names = list(EVENT_TYPES)
        is_rating = kinds == names.index("rating")
        columns = {
            "user_id": self._user_ids.take(pa.array(users)),
            "item_id": self._item_ids.take(pa.array(items)),
            "event_time": pa.array(start + offsets, _type("event_time")),
            "event_type": pa.array(names).take(pa.array(kinds)),
            "rating": pa.array(rng.integers(1, 6, rows).astype("float64"), mask=~is_rating),
            "ingested_at": pa.array(start + arrivals, _type("ingested_at")),
            "source": pa.repeat(pa.scalar("generated"), rows),
            "event_date": pa.repeat(pa.scalar(day, pa.date32()), rows),
        }
        return pa.table(columns, schema=INTERACTIONS.arrow_schema())

    @cached_property
    def _user_weights(self) -> np.ndarray:
        return _zipf(self.users, USER_EXPONENT, USER_SHIFT)

    @cached_property
    def _item_weights(self) -> np.ndarray:
        return _zipf(self.items, ITEM_EXPONENT, ITEM_SHIFT)

    @cached_property
    def _user_ids(self) -> pa.Array:
        return pa.array([*user_ids(self), PLANTED_USER])

    @cached_property
    def _item_ids(self) -> pa.Array:
        return pa.array(item_ids(self))


def user_ids(world: World) -> list[str]:
    """Ids of the users but the planted one, most active first."""
    return [f"u{n}" for n in range(world.users)]


def item_ids(world: World) -> list[str]:
    """Ids of the items, most popular first."""
    return [f"i{n}" for n in range(world.items)]


def _zipf(size: int, exponent: float, shift: int) -> np.ndarray:
    """Cumulative shares of weights 1 / (rank + shift)^exponent."""
    weights = 1 / (np.arange(size) + shift) ** exponent
    return np.cumsum(weights) / weights.sum()


def _draw(rng: np.random.Generator, cumulative: np.ndarray, count: int) -> np.ndarray:
    # The last sum may be a little below 1.
    return np.minimum(np.searchsorted(cumulative, rng.random(count)), len(cumulative) - 1)


def _share(total: int, days: int, index: int) -> int:
    """What day `index` gets of `total`; all days together get all of it."""
    return total * (index + 1) // days - total * index // days


def _midnight(day: date) -> int:
    """The start of `day` (UTC), in microseconds since 1970."""
    return int(datetime.combine(day, time.min, tzinfo=UTC).timestamp()) * MICROS


def _type(column: str) -> pa.DataType:
    return INTERACTIONS.arrow_schema().field(column).type
