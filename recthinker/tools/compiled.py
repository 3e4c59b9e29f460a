"""Loops over mapped numbers, compiled when first called: one plain loop where numpy would need a dozen passes."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """A function of arrays, compiled by numba.

    The machine code is kept beside the source, so that only the first process on a machine takes the seconds that
    compiling takes; where nothing can be written, each process does. `__wrapped__` is the function as it is written.
    """

    @cache
    def kernel() -> Any:
        # Here, as it takes half a second to import, and most commands call no tool.
        import numba

        try:
            return numba.njit(cache=True)(function)
        except RuntimeError:  # no folder to keep the code in
            return numba.njit(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        found: R = kernel()(*args, **kwargs)
        return found

    return call
