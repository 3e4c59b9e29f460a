"""What Python workers of Spark need to be told; imported by tasks."""

import gc
from functools import cache


@cache
def skip_imports_in_collections() -> None:
    """Leave all that a worker has imported out of its garbage collections, from now on.

    A worker collects garbage after every task (`pyspark.daemon`). With numpy, scipy and pyarrow loaded that takes some
    50 ms, as long as many a task. Called by a task when it begins; the first one of a process does it.
    """
    gc.freeze()
