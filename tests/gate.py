"""The gate of the landing tables, over whole tables as they are now."""

from collections.abc import Sequence

from recthinker.tables.check_files import read_checks
from recthinker.tables.checks import CheckResult, audit
from recthinker.tables.schemas import TABLES
from recthinker.tables.store import TableStore


def check_landing(store: TableStore, names: Sequence[str] | None = None) -> list[CheckResult]:
    """Run the checks named, or all of landing tables.

    Raises:
        TableContractError: a check found offending rows.
    """
    checks = [check for check in read_checks(names) if check.is_landing]
    frames = {name: store.read(TABLES[name]) for name in {frame for check in checks for frame in check.frames}}
    return audit(store.spark, frames, names=[check.name for check in checks])
