"""Hashes of users back into ids: in each worker's memory where the users are few, else by joins."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.errors import TableContractError

NAMED = "user_id string, neighbours array<struct<user_id: string, similarity: double>>"
"""`strongest.NEIGHBOURS` with ids."""


def user_hash() -> Column:
    """What stands for `user_id` inside `similar_users` and in `item_state`: xxHash64."""
    return F.xxhash64("user_id")


@dataclass(frozen=True, slots=True)
class UserNames:
    """Ids by hash, about 40 bytes a user."""

    hashes: npt.NDArray[np.int64]
    """Ascending."""
    ids: pa.Array

    @classmethod
    def of(cls, users: DataFrame) -> "UserNames":
        """Those of all `users` (user_id; distinct).

        Raises:
            TableContractError: two users share a hash.
        """
        table = users.select(user_hash().alias("user"), "user_id").toArrow().sort_by("user").combine_chunks()
        hashes = table["user"].to_numpy()
        _refuse(int((hashes[1:] == hashes[:-1]).sum()))
        return cls(hashes, table["user_id"].combine_chunks())

    def named(self, neighbours: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of `NAMED` for rows of `strongest.NEIGHBOURS`."""
        for rows in neighbours:
            lists = rows["neighbours"]
            edges = lists.values
            fields = [self._ids(edges.field("user").to_numpy()), edges.field("similarity")]
            named = pa.StructArray.from_arrays(fields, ["user_id", "similarity"])
            columns = [self._ids(rows["user"].to_numpy()), pa.ListArray.from_arrays(lists.offsets, named)]
            yield pa.RecordBatch.from_arrays(columns, ["user_id", "neighbours"])

    def _ids(self, hashes: npt.NDArray[np.int64]) -> pa.Array:
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        unknown = np.flatnonzero(self.hashes[place] != hashes)
        if len(unknown):
            raise TableContractError(_unknown(str(hashes[unknown[0]])))
        return self.ids.take(pa.array(place))


def named_by_join(neighbours: DataFrame, users: DataFrame) -> DataFrame:
    """Rows of `NAMED` for rows of `strongest.NEIGHBOURS`, for any number of users.

    Raises:
        TableContractError: two users share a hash.
    """
    names = users.select(user_hash().alias("hash"), "user_id")
    _refuse(names.groupBy("hash").count().where(F.col("count") > 1).count())
    edges = neighbours.select("user", F.posexplode("neighbours").alias("place", "edge"))
    unknown = F.raise_error(F.format_string(_unknown("%d"), "wanted"))
    neighbour = F.struct(F.coalesce("user_id", unknown).alias("user_id"), F.col("edge.similarity").alias("similarity"))
    edge = F.struct("place", neighbour.alias("edge"))
    lists = (
        edges.withColumn("wanted", F.col("edge.user"))
        .join(names, F.col("wanted") == F.col("hash"), "left")
        .groupBy("user")
        .agg(F.sort_array(F.collect_list(edge)).getField("edge").alias("neighbours"))
    )
    return lists.join(names, F.col("user") == F.col("hash")).select("user_id", "neighbours")


def _refuse(shared: int) -> None:
    if shared:
        raise TableContractError(
            f"similar_users: expected another xxHash64 for every user_id, found {shared} shared by two; "
            "rename one of the two users at the source"
        )


def _unknown(user: str) -> str:
    return (
        f"similar_users: no known user has the hash {user}; expected `users` to hold every user of `events` and "
        "`before`: rebuild from scratch"
    )
