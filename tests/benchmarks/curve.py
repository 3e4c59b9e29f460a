"""`python -m tests.benchmarks.curve [LATEST_JSON]`: draws docs/inference.svg from the figures of `make bench`."""

import json
import re
import sys
from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt

NAME = "inference.users_per_s"
OUT = Path("docs/inference.svg")


def curve(figures: list[dict[str, object]]) -> dict[int, float]:
    """Users a second by episodes in flight, from what the figure was made from."""
    context = next(figure["context"] for figure in figures if figure["name"] == NAME)
    assert isinstance(context, dict)
    points = ((re.fullmatch(r"(\d+) in flight", name), text) for name, text in context.items())
    return {int(match[1]): float(str(text).split()[0]) for match, text in points if match}


def draw(points: dict[int, float], path: Path) -> None:
    """Both axes in powers of two, so that a straight line is one where twice the episodes make twice the users."""
    matplotlib.rcParams["svg.hashsalt"] = NAME  # the same figures, the same file
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    axes.plot(list(points), list(points.values()), marker="o", color="#2563eb")
    for width, rate in points.items():
        axes.annotate(f"{rate:.0f}", (width, rate), xytext=(0, 7), textcoords="offset points", ha="center")
    axes.set(xscale="log", yscale="log", xlabel="episodes in flight", ylabel="users a second")
    axes.set_xticks(list(points), [str(width) for width in points])
    axes.set_yticks([], [])
    axes.minorticks_off()
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    latest = Path(sys.argv[1] if len(sys.argv) > 1 else "var/bench/latest.json")
    draw(curve(json.loads(latest.read_text(encoding="utf-8"))), OUT)
