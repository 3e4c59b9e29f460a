"""Make the first model when the registry has no champion: base training from scratch, SFT, evaluation, registration.

Reads two training cuts of D (`python -m jobs.build_features --ds D --cut holdout_last:11 --cut holdout_last:1
--with-candidates`): the model learns from the first and is measured on the second, whose targets it never saw. Writes a
version of the registered model, under the alias of the settings. With a champion in place it does nothing.
"""

import os

from jobs._cli import Job, Reporter, main
from recthinker.registry import Registry


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
        on_progress=Reporter(),
    )
    figures = ", ".join(f"{name} {value:.3f}" for name, value in headline(evaluation).items())
    return f"model {version}: {figures}"


if __name__ == "__main__":
    main("train_first_model", run)
