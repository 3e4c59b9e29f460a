"""Measure the serving model against simple systems, on each user's last interaction among sampled candidates.

Reads the cut of D that takes each user's last event away (built by `python -m jobs.build_features --ds D --cut
holdout_last:1 --with-candidates`) and the model of the settings' alias; writes evaluation.json beside the version.
Safe to run again.
"""

import shutil

from jobs._cli import Job, main
from recthinker.inference.offline import evaluate_model
from recthinker.registry import Registry


def run(job: Job) -> str:
    """Measure the serving model against simple systems."""
    settings = job.settings
    registry = Registry(settings)
    version = registry.resolve()
    folder = job.run_dir / "evaluation"
    evaluation = evaluate_model(version.path, settings, ds=job.ds, folder=folder)
    shutil.rmtree(folder)
    if settings.model.path is None:
        registry.log_evaluation(version, evaluation)
    figures = ", ".join(
        f"{s['name']} {s['ndcg']:.3f} [{s['ndcg_low']:.3f}, {s['ndcg_high']:.3f}]" for s in evaluation["systems"]
    )
    return f"model {version}, {evaluation['users']} users, NDCG@{evaluation['k']}: {figures}"


if __name__ == "__main__":
    main("evaluate_model", run)
