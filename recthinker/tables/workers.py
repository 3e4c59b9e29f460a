"""What Python workers of Spark need to be told; imported by tasks."""

import gc
import sys
from functools import cache


def skip_imports_in_collections() -> None:
    """Leave all that a worker has imported so far out of its garbage collections.

    A worker collects garbage after every task (`pyspark.daemon`), which takes as long as a small task where numpy and
    pyarrow are loaded. So tasks of which there are many call this first; it acts where more was imported since.
    """
    _freeze(len(sys.modules))


@cache
def _freeze(modules: int) -> None:
    """Once for each number of `modules`: what is frozen is not freed if it is garbage."""
    gc.freeze()
