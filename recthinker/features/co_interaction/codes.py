"""An event as 32 bits, the number of its item and which weight it has, and what a weight is worth at a distance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recthinker.errors import TableContractError
from recthinker.features.co_interaction.pairs import WEIGHT_UNIT
from recthinker.settings import FeatureSettings

CODE_BITS = 32

Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class EventCodes:
    """The codes of events whose weights are known beforehand: 1, and those that the settings name."""

    weights: tuple[float, ...]
    """Above 0, ascending."""
    window: int
    """Largest distance of a pair, in events."""
    half_life: float
    """Distance at which a weight has halved."""

    @classmethod
    def of(cls, settings: FeatureSettings) -> "EventCodes":
        """The codes under `settings`: uses `event_weights`, `co_window` and `co_half_life`."""
        weights = {1.0, *settings.event_weights.values()}
        return cls(tuple(sorted(w for w in weights if w > 0)), settings.co_window, settings.co_half_life)

    @property
    def bits(self) -> int:
        """Low bits of a code, which hold the place of the weight in `weights`."""
        return (len(self.weights) - 1).bit_length()

    def encode(self, item: npt.NDArray[np.int32], weight: npt.NDArray[np.float64]) -> Codes:
        """The codes of events.

        Args:
            item: numbers of their items.
            weight: their weights.

        Raises:
            TableContractError: a weight is none of `weights`, or a number is negative or too large.
        """
        place = np.searchsorted(self.weights, weight)
        known = np.asarray(self.weights)[np.minimum(place, len(self.weights) - 1)] == weight
        if not known.all():
            raise TableContractError(
                f"event weights should be among {self.weights} (features.event_weights), found {weight[~known][0]}; "
                "give the events the weights of the settings"
            )
        limit = 1 << (CODE_BITS - self.bits)
        if len(item) and not 0 <= item.min() <= item.max() < limit:
            raise TableContractError(
                f"numbers of items should be from 0 to {limit - 1}, found {item.min()} to {item.max()}; "
                "build the feature tables from scratch"
            )
        return item.astype(np.uint32) << np.uint32(self.bits) | place.astype(np.uint32)

    def items(self, codes: Codes) -> npt.NDArray[np.int32]:
        """The numbers of the items."""
        return (codes >> np.uint32(self.bits)).astype(np.int32)

    def units(self, codes: Codes, distance: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """What each event adds to the weight of a pair in which it is `distance` events after the other, in whole
        `WEIGHT_UNIT`s; 0 where it is not after it.
        """
        later = np.maximum(distance, 0)
        place = (codes & np.uint32((1 << self.bits) - 1)).astype(np.int32)
        place *= self.window + 1
        place += later
        return self._units().take(place)

    def _units(self) -> npt.NDArray[np.float64]:
        """Weight by weight, the units at each distance from 0 (none) to `window`."""
        decay = 2.0 ** (-np.arange(self.window) / self.half_life)
        units = np.rint(np.outer(self.weights, decay) / WEIGHT_UNIT)
        return np.pad(units, ((0, 0), (1, 0))).ravel()
