"""Python's collector of cycles, kept from going through thousands of live episodes over and over."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

ALLOCATIONS = 100_000
"""Objects that may be made, less those freed, before the collector looks; Python's own figure is 700. An episode leaves
about 60, which are freed without it: they form no cycle."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within, the collector looks seldom: it reads every token of every list that it comes by."""
    before = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
