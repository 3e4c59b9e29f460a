"""What a table contract is made of: `Table`, `Column`, and the types and columns that many tables share.

The types are Arrow's, so that the contracts need no Spark; `recthinker.tables.spark` turns them into Spark
schemas.
"""

from dataclasses import dataclass

import pyarrow as pa

STRING = pa.string()
LONG = pa.int64()
INT = pa.int32()
DOUBLE = pa.float64()
TIME = pa.timestamp("us", tz="UTC")
DATE = pa.date32()
STRINGS = pa.list_(STRING)
ATTRIBUTES = pa.map_(STRING, STRING)
COUNTS = pa.map_(STRING, LONG)
FIGURES = pa.map_(STRING, DOUBLE)


def rows(**fields: pa.DataType) -> pa.DataType:
    """A list of structs, the type of every nested column here."""
    return pa.list_(pa.struct([pa.field(name, type_) for name, type_ in fields.items()]))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: pa.DataType
    doc: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table's contract."""

    name: str
    doc: str
    key: tuple[str, ...]
    """Columns that identify a row; empty where rows have no identity."""
    partition_by: tuple[str, ...]
    columns: tuple[Column, ...]
    constraints: tuple[tuple[str, str], ...] = ()
    """Name and SQL condition of each rule that Delta itself holds every row to, whoever writes; for tables that are
    written by Spark and `write_deltalake`, not for those that take over files written aside."""

    def arrow_schema(self) -> pa.Schema:
        """The columns as an Arrow schema, in their order."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in their order."""
        return [c.name for c in self.columns]


DS = Column("ds", STRING, "logical date D, `YYYY-MM-DD`; the row sees exactly what was known before the end of D")
DS_IS_A_DATE = ("ds_is_a_date", "ds LIKE '____-__-__'")
USER = Column("user_id", STRING, "user")
ITEM = Column("item_id", STRING, "item")
