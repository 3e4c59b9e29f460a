"""Does a frame keep a table's contract? Columns and types before anything is computed, rows in one pass.

Rules between tables (references resolve, ...) are not here: `recthinker.tables.checks`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from recthinker.errors import TableContractError
from recthinker.tables.schemas import Table
from recthinker.tables.spark import spark_schema

SAMPLE_ROWS = 3
REFUSED = "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES]"
"""Error class of Delta on Spark for a row that breaks a constraint."""


def conform(table: Table, df: DataFrame) -> DataFrame:
    """`df` with exactly the contract's columns, in the contract's order.

    Raises:
        TableContractError: a column is missing, is not in the contract, or has another type.
    """
    names = table.column_names
    missing = [name for name in names if name not in df.columns]
    extra = [name for name in df.columns if name not in names]
    if missing or extra:
        raise TableContractError(
            f"table {table.name} needs exactly the columns {', '.join(names)}; "
            f"missing: {', '.join(missing) or 'none'}; not in the contract: {', '.join(extra) or 'none'}"
        )
    found = {field.name: field.dataType for field in df.schema.fields}
    wrong = [
        f"{field.name} should be {field.dataType.simpleString()}, found {found[field.name].simpleString()}"
        for field in spark_schema(table).fields
        if _bare(field.dataType) != _bare(found[field.name])
    ]
    if wrong:
        raise TableContractError(f"table {table.name}: column {'; column '.join(wrong)}; cast before writing")
    return df.select(*names)


def check_rows(table: Table, df: DataFrame, *, ds: str | None = None, may_be_empty: bool = False) -> int:
    """Number of rows of `df`, which is computed once; `df` has the contract's columns.

    Args:
        table: the contract.
        df: the rows.
        ds: the one logical date that the rows may carry; None: any.
        may_be_empty: whether no rows are fine.

    Raises:
        TableContractError: no rows, a null where none may be, a repeated key, or a row of another date.
    """
    where = f"table {table.name}" + (f", ds {ds}" if ds else "")
    required = [column.name for column in table.columns if not column.nullable or column.name in table.key]
    broken = {f"null in {name}": F.col(name).isNull() for name in required}
    if ds:
        broken[f"a ds other than {ds}"] = F.col("ds") != ds
    counts = _count(table, df, broken)
    if not counts["rows"] and not may_be_empty:
        raise TableContractError(f"{where}: no rows to write; the old rows stay. Check what the table is made from")
    for rule, condition in broken.items():
        if counts[rule]:
            raise TableContractError(f"{where}: {counts[rule]} rows with {rule}, such as {sample(df.where(condition))}")
    repeated = counts["rows"] - counts.get("keys", counts["rows"])
    if repeated:
        twice = df.groupBy(*table.key).count().where("count > 1")
        key = ", ".join(table.key)
        raise TableContractError(f"{where}: {repeated} rows repeat a key ({key}), such as {sample(twice)}")
    return counts["rows"]


@contextmanager
def constraints_kept(table: Table) -> Iterator[None]:
    """Tell a row that Delta itself refuses as a broken contract.

    Raises:
        TableContractError: a row breaks a constraint; nothing was written.
    """
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        message = str(error.java_exception.getMessage() if isinstance(error, Py4JJavaError) else error)
        if REFUSED not in message:
            raise
        row = " ".join(message.partition(REFUSED)[2].split())[:400]
        raise TableContractError(f"table {table.name}: Delta refused a row, the old rows stay: {row}") from error


def sample(df: DataFrame, rows: int = SAMPLE_ROWS) -> str:
    """The first `rows` rows, each cut to 200 characters, for an error message."""
    return "; ".join(str(row.asDict(recursive=True))[:200] for row in df.limit(rows).collect())


def _count(table: Table, df: DataFrame, broken: dict[str, Column]) -> dict[str, int]:
    """Rows, distinct keys and rows that break each rule, in one job."""
    sums = [F.sum(condition.cast("long")).alias(rule) for rule, condition in broken.items()]
    if table.key:
        df = df.groupBy(*table.key).agg(F.count(F.lit(1)).alias("rows"), *sums)
        sums = [F.sum(F.col(f"`{rule}`")).alias(rule) for rule in broken]
        totals = df.agg(F.sum("rows").alias("rows"), F.count(F.lit(1)).alias("keys"), *sums)
    else:
        totals = df.agg(F.count(F.lit(1)).alias("rows"), *sums)
    (row,) = totals.collect()
    return {name: count or 0 for name, count in row.asDict().items()}


def _bare(type_: DataType) -> DataType:
    """The type with every nullability set alike, so that only names and types are compared."""
    if isinstance(type_, StructType):
        bare = StructType()
        for field in type_.fields:
            bare = bare.add(field.name, _bare(field.dataType), nullable=True)
        return bare
    if isinstance(type_, ArrayType):
        return ArrayType(_bare(type_.elementType), containsNull=True)
    if isinstance(type_, MapType):
        return MapType(_bare(type_.keyType), _bare(type_.valueType), valueContainsNull=True)
    return type_
