"""What must hold after a kill, and when the job has run again: faults in words, what was found and what was asked."""

from collections.abc import Iterator

from tests.benchmarks.retrainings.state import BROKEN, State

PROMOTING = "promote_model"
TRAINED = "rl"
"""The stage whose model is registered."""


def after_kill(now: State, before: State, whole: State, job: str) -> Iterator[str]:
    """Faults of what a reader sees.

    Args:
        before: when the job began; `whole` of the undisturbed run, at its end.
        job: that was killed.
    """
    served = {before.serving, *([whole.serving] if job == PROMOTING else [])}
    if now.serving not in served:
        yield f"{now.serving} serves, not {before.serving}"
    if now.waiting is not None and now.waiting_weights != now.stages.get(TRAINED):
        yield f"{now.waiting} waits at the gate, but is not the model of stage {TRAINED}"
    yield from (f"stage {stage} is done, but {made}" for stage, made in now.stages.items() if made.startswith(BROKEN))
    if now.rollouts not in (0, whole.rollouts):
        yield f"{now.rollouts} of {whole.rollouts} rollouts"
    if "collect" in now.stages and not now.rollouts:
        yield "stage collect is done, but the table has no rollouts"
    if len(now.parents) > 1:
        yield f"{len(now.parents)} MLflow runs of one retraining"


def after_retry(now: State, once: State) -> Iterator[str]:
    """Faults of what there is when the job has ended.

    Args:
        once: of the undisturbed run, when that job had ended.
    """
    for stage, made in once.stages.items():
        if now.stages.get(stage) != made:
            yield f"stage {stage} made {now.stages.get(stage)}, undisturbed {made}"
    doubled = len(now.nested) != len({stage for stage, _ in now.nested})
    if doubled or any(status != "FINISHED" for _, status in now.nested):
        yield f"MLflow runs of the stages: {now.nested}, of each one that is finished is asked"
    # A stage that was killed before it was logged is logged by `register_challenger`.
    names = ("serving", "waiting", "versions", "rollouts", "parents", "decision")
    for name in (*names, "nested") if once.waiting else names:
        if getattr(now, name) != getattr(once, name):
            yield f"{name}: {getattr(now, name)}, undisturbed {getattr(once, name)}"
    if now.waiting is not None and now.waiting_weights != now.stages.get(TRAINED):
        yield f"{now.waiting} waits at the gate, but is not the model of stage {TRAINED}"


def told(state: State) -> str:
    """What was there, in a line."""
    stages = ", ".join(state.stages) or "no stage"
    counts = f"{state.rollouts} rollouts; {len(state.nested)} MLflow runs; {state.versions} versions"
    return f"{stages}; {counts}; serves {state.serving}, waits {state.waiting or 'none'}"
