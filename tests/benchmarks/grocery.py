"""Other real data: reviews of Amazon's groceries, few events a user, and what people bought along.

`python -m tests.benchmarks.grocery FOLDER` takes `train.csv` and `item_meta.csv` (or either as `.gz`) of
`data/Grocery_and_Gourmet_Food` of https://github.com/THUwangcy/ReChorus, writes them in RecBole's layout to a `var` of
its own, builds the tables, trains a first model and retrains it, job by job as on any data. `rl_gain --of grocery` then
tells what RL added. What is there under var/bench/grocery is used again.

A user's newest events are not in `train.csv`: ReChorus keeps them for its own evaluation.

Amazon made the lists of what is bought and viewed along from all its customers' events, later ones included: they tell
more than was known at the time, to every system that reads them.
"""

import argparse
import ast
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pyarrow.csv import ParseOptions, read_csv

from tests.benchmarks.retrainings.pipeline import bench_folder, run_pipeline
from tests.benchmarks.retrainings.world import RetrainWorld
from tests.benchmarks.two_kinds import write_rows

NAME = "grocery"
LAST_DAY = date(2014, 7, 22)
"""Of the events."""
RELATIONS: Mapping[str, str] = {"r_complement": "also_bought", "r_substitute": "also_viewed"}
"""Columns of item ids, and what they are called as relations."""
RATING = 5
LEAST_EVENTS = 8
"""Of a user: 4,323 of the 14,681 have as many, so that a model is measured in a minute."""
SETTINGS: Mapping[str, str] = {
    # Half of the shortest histories is left to the statistics.
    "TRAINING__HOLDOUT_LAST": "4",
    # As the evaluation asks: among random items.
    "TRAINING__HARD_SHARE": "0",
    "TRAINING__BASE_EPISODES": "12000",
    # At the demo's rate a hundred steps move calls by little.
    "RL__LR": "0.0002",
    "EVALUATION__SHUFFLES": "1",
    "EVALUATION__EASE_MAX_ITEMS": "10000",
    "TRAINING__THREADS": "1",
    "INFERENCE__THREADS": "1",
}
"""What differs from base.yaml."""


def main() -> None:
    """Run what is not done yet."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.grocery", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds train.csv and item_meta.csv, or either as .gz")
    made, source = grocery(), parser.parse_args().folder
    files = made.var / "data"
    write_files(source, files)
    run_pipeline(made, files)


def grocery() -> RetrainWorld:
    """Its `var`, made or not."""
    return RetrainWorld(bench_folder() / NAME, LAST_DAY.isoformat(), "local", SETTINGS)


def write_files(source: Path, folder: Path, *, least_events: int = LEAST_EVENTS) -> None:
    """The items of `source`, and the events of users who have enough, in RecBole's layout, which has a knowledge graph.

    An item's lists become edges to what stands for "bought (viewed) along with j"; it has one of its own, too, so that
    it shares an edge with whatever lists it, and with whatever lists the same items.

    Raises:
        SystemExit: a file is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = _rows(source / "train.csv")
    counts = Counter(row["user_id"] for row in taken)
    events = [
        f"u{row['user_id']}\ti{row['item_id']}\t{RATING}\t{row['time']}"
        for row in taken
        if counts[row["user_id"]] >= least_events
    ]
    items = _rows(source / "item_meta.csv")
    titles = [f"i{row['item_id']}\tgrocery\tc{row['i_category']}" for row in items]
    edges = [
        f"e{row['item_id']}\titem.{relation}\t{relation}{other}"
        for row in items
        for column, relation in RELATIONS.items()
        for other in dict.fromkeys((row["item_id"], *ast.literal_eval(row[column])))
    ]
    links = [f"i{row['item_id']}\te{row['item_id']}" for row in items]
    write_rows(folder / f"{NAME}.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float", events)
    write_rows(folder / f"{NAME}.item", "item_id:token\tmovie_title:token_seq\tclass:token_seq", titles)
    write_rows(folder / f"{NAME}.kg", "head_id:token\trelation_id:token\ttail_id:token", edges)
    write_rows(folder / f"{NAME}.link", "item_id:token\tentity_id:token", links)


def _rows(path: Path) -> list[dict[str, Any]]:
    """Of a tab-separated file, or of `path`.gz."""
    packed = path.with_name(f"{path.name}.gz")
    found = next(filter(Path.is_file, (path, packed)), None)
    if found is None:
        raise SystemExit(f"{path} is missing, and so is {packed.name}: give the folder that holds ReChorus' files")
    rows: list[dict[str, Any]] = read_csv(found, parse_options=ParseOptions(delimiter="\t")).to_pylist()
    return rows


if __name__ == "__main__":
    main()
