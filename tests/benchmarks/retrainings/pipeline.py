"""All jobs on data of a `var` of its own, from the files to the gate's decision; a run that was stopped goes on."""

from collections.abc import Iterator
from pathlib import Path

from recthinker.cli.retrain import cut_arguments
from recthinker.settings import load_settings
from tests.benchmarks.retrainings.world import RetrainWorld, Step

ABLATIONS = "--ablations"


def bench_folder() -> Path:
    """Where benchmarks keep what they made."""
    return load_settings().paths.var.absolute() / "bench"


def run_pipeline(made: RetrainWorld, files: Path) -> None:
    """Each job after the last one that ended; prints each and its seconds."""
    done = made.var / "done"
    done.mkdir(parents=True, exist_ok=True)
    for number, step in enumerate(_steps(made, files)):
        mark = done / f"{number}-{step[0]}"
        if not mark.exists():
            print(" ".join(step), flush=True)
            mark.write_text(f"{made.finish(step):.0f} s\n", encoding="utf-8")
            print(mark.read_text(encoding="utf-8"), end="", flush=True)


def _steps(made: RetrainWorld, files: Path) -> Iterator[Step]:
    """Both models are measured with fewer calls and without their tools, too."""
    yield "ingest", "--source=movielens", f"--path={files}"
    yield "build_features", *cut_arguments(made.settings)
    yield ("train_first_model",)
    for step in made.steps():
        yield (*step, ABLATIONS) if step[0] == "evaluate_model" else step
