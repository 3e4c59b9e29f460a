"""Make the first model when the registry has no champion: base training from scratch, SFT, evaluation, registration.

Reads two training cuts of D (`python -m jobs.build_features --ds D --cut holdout_last:11 --cut holdout_last:1
--with-candidates`): the model learns from the first and is measured on the second, whose targets it never saw. Writes a
version of the registered model, under the alias of the settings. With a champion in place it does nothing.
"""

import os
import time

from jobs._cli import Job, main
from recthinker.registry import Registry

PROGRESS_EVERY_S = 5.0
BAR_WIDTH = 24


def run(job: Job) -> str:
    """Make the first model when the registry has no champion."""
    settings = job.settings
    registry = Registry(settings)
    if settings.model.path or registry.champion():
        return f"model {registry.resolve()} is in place, nothing to train"
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.training.threads))
    # Imported here: torch and TRL take ten seconds, which a night with a champion should not pay.
    from recthinker.training.bootstrap import headline, make_first_champion

    version, evaluation = make_first_champion(
        registry,
        settings,
        ds=job.ds,
        folder=settings.paths.models / f"first-{job.run_id}",
        on_progress=_Reporter(),
    )
    figures = ", ".join(f"{name} {value:.3f}" for name, value in headline(evaluation).items())
    return f"model {version}: {figures}"


class _Reporter:
    """A progress bar for a new stage, then one every five seconds, each on a line of its own: it may go to a log."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int, loss: float | None) -> None:
        now = time.monotonic()
        if stage != self._stage or now >= self._next or done == total:
            self._stage, self._next = stage, now + PROGRESS_EVERY_S
            full = BAR_WIDTH * done // max(total, 1)
            tail = "" if loss is None else f", loss {loss:.3f}"
            print(f"{stage:<13} {'█' * full}{'░' * (BAR_WIDTH - full)} {done}/{total}{tail}", flush=True)


if __name__ == "__main__":
    main("train_first_model", run)
