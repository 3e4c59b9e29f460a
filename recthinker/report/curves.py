"""A curve of training as the small chart that a page shows: raw points, a smoothed line over them, ticks.

Charts are 100 by 100, x to the right and y down, stretched to the room there is; lines keep their width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recthinker.report.watched import Watched, describe
from recthinker.training.stage import Curve

MOST_POINTS = 240
"""Of a chart; of more, every n-th is drawn. The line is smoothed over all of them."""
WINDOW_SHARE = 12
"""A value of the line is the mean of about one in so many points."""
MOST_STEPS = 4
"""Between the ticks of an axis."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis."""

    label: str
    place: float
    """In [0, 100], from the left or from the top."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One curve, ready to be drawn."""

    name: str
    """As the stage wrote it."""
    watched: Watched
    dots: str
    """SVG path of the raw points."""
    line: str
    """SVG path of the smoothed line."""
    y_ticks: tuple[Tick, ...]
    first_step: int
    last_step: int
    first: float
    """Of the smoothed line, as `last`."""
    last: float
    window: int
    """Points of which a value of the line is the mean."""
    every: int
    """Which points are drawn: 1 for all, 5 for every fifth."""
    left_out: int
    """Values that are no finite number."""


def charts(stage: str, curves: Mapping[str, Curve]) -> list[Chart]:
    """The curves of a stage, in the order in which they are best read; without those that hold no finite value."""
    drawn = [chart for name, curve in curves.items() if (chart := draw(name, curve, describe(stage, name)))]
    return sorted(drawn, key=lambda chart: (chart.watched.place, chart.name))


def draw(name: str, curve: Curve, watched: Watched) -> Chart | None:
    """The chart of a curve; None where it holds no finite value."""
    finite = [(step, value) for step, value in curve if math.isfinite(value)]
    if not finite:
        return None
    steps, values = np.array([step for step, _ in finite]), np.array([value for _, value in finite])
    window = 2 * (len(values) // (2 * WINDOW_SHARE)) + 1
    smooth = smoothed(values, window)
    ticks = axis_ticks(float(values.min()), float(values.max()), MOST_STEPS)
    x = 100 * (steps - steps[0]) / max(int(steps[-1] - steps[0]), 1)
    every = -(-len(values) // MOST_POINTS)
    return Chart(
        name=name,
        watched=watched,
        dots="".join(f"M{point}h0" for point in _points(x, values, ticks, every)),
        line="M" + "L".join(_points(x, smooth, ticks, every)),
        y_ticks=tuple(Tick(written(tick, ticks), 100 - _share(tick, ticks)) for tick in ticks),
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
        first=float(smooth[0]),
        last=float(smooth[-1]),
        window=window,
        every=every,
        left_out=len(curve) - len(finite),
    )


def smoothed(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of the `window` (odd) values around each; at the ends, of those that there are."""
    half = window // 2
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    left, right = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    return np.asarray((sums[right] - sums[left]) / (right - left))


def axis_ticks(low: float, high: float, most_steps: int) -> list[float]:
    """Round numbers that span [low, high], at most about `most_steps` apart; the first and the last are its ends."""
    if low == high:
        room = abs(low) / 2 or 1.0
        low, high = low - room, high + room
    rough = (high - low) / most_steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * place for place in range(first, last + 1)]


def written(tick: float, ticks: Sequence[float]) -> str:
    """A tick with as many digits as tell it from the next."""
    step = ticks[1] - ticks[0]
    if abs(tick) < step / 2:
        return "0"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return (f"{tick:,.{digits}f}" if digits < 5 else f"{tick:.0e}").replace("-", "\N{MINUS SIGN}")


def _points(x: np.ndarray, y: np.ndarray, ticks: Sequence[float], every: int) -> list[str]:
    """Every n-th point, and the last."""
    places = sorted({*range(0, len(x), every), len(x) - 1})
    return [f"{x[place]:.4g} {100 - _share(float(y[place]), ticks):.4g}" for place in places]


def _share(value: float, ticks: Sequence[float]) -> float:
    """Where a value stands on the axis, in [0, 100] from its low end."""
    return 100 * (value - ticks[0]) / (ticks[-1] - ticks[0])
