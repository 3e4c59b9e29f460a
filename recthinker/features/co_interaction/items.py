"""What ranking knows of the items: arrays by number."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import SparkSession

from recthinker.errors import TableContractError
from recthinker.features.order import tie_break


@dataclass(frozen=True, slots=True)
class Items:
    """Arrays that an item's number is the place in; numbers may have gaps."""

    ids: pa.Array
    """item_id; null at a gap."""
    paired: npt.NDArray[np.int64]
    """Events of a weight above 0; 0 at a gap."""
    hashes: npt.NDArray[np.uint64]
    """Fixed by seed and item_id."""

    @property
    def total(self) -> int:
        """Events of all items."""
        return int(self.paired.sum())

    def require(self, numbers: npt.NDArray[np.int32]) -> None:
        """Make sure that all of `numbers` are known.

        Raises:
            TableContractError: one is not, or its item has no events.
        """
        unknown = numbers[(numbers >= len(self.paired)) | (self.paired.take(numbers, mode="clip") < 1)]
        if len(unknown):
            raise TableContractError(
                "each item of co_interaction_pairs should be in item_state with paired events, "
                f"found number {unknown[0]} without; build both from scratch"
            )

    def ties(self, item: npt.NDArray[np.int32], neighbour: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
        """A number of each pair, fixed by the seed and the ids of both, and otherwise without meaning."""
        # SplitMix64's finalizer (Steele, Lea & Flood 2014) over both hashes.
        mixed = self.hashes[item] * np.uint64(0x9E3779B97F4A7C15) ^ self.hashes[neighbour]
        mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return mixed ^ mixed >> np.uint64(31)


def items_by_number(spark: SparkSession, items: pa.Table, seed: int) -> Items:
    """`items` as arrays.

    Args:
        spark: the session.
        items: item_id, number (from 0) and paired.
        seed: of the hashes.
    """
    number = items["number"].to_numpy()
    hashed = spark.createDataFrame(items.select(["item_id", "number"]).combine_chunks())
    rows = hashed.select("number", tie_break(seed, "item_id").alias("hash")).toArrow()
    size = int(number.max(initial=-1)) + 1
    place = np.full(size, -1)
    place[number] = np.arange(len(number))
    ids = items["item_id"].combine_chunks().take(pa.array(place, mask=place < 0))
    paired = _spread(number, items["paired"].to_numpy(), size)
    hashes = _spread(rows["number"].to_numpy(), rows["hash"].to_numpy(), size)
    return Items(ids, paired, hashes.view(np.uint64))


def _spread(number: npt.NDArray[Any], values: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    by_number = np.zeros(size, np.int64)
    by_number[number] = values
    return by_number
