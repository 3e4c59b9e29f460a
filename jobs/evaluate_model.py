"""Measure a model against simple systems, on each user's last interaction among sampled candidates.

Reads the training cut of the protocol (built by `python -m jobs.build_features --ds D --cut holdout_last:1
--with-candidates`, or `--cut temporal:DATE`) and the version that the alias names. Writes its evaluation beside the
version and, with what the gate needs of each user, as `<runs>/<ds>/<run>/evaluation/<model>-<version>.json` and
`.parquet`. In a retraining where no model serves yet it does nothing. Safe to run again.
`python -m jobs.evaluate_model --ds D --run-id R [--alias challenger] [--protocol temporal:DATE] [--ablations]`
"""

import argparse
import shutil
from typing import Any

from jobs._cli import Job, main
from recthinker.errors import RegistryError
from recthinker.evaluation import Protocol, keep_evaluation
from recthinker.inference.offline import evaluate_model
from recthinker.registry import EVALUATION_FILE, TEMPORAL_FILE, ModelVersion, Registry
from recthinker.training.retrain_plan import RetrainPlan


def run(job: Job) -> str:
    """Measure a model against simple systems."""
    plan = RetrainPlan.find(job.run_dir)
    settings = plan.apply(job.settings) if plan else job.settings
    protocol = Protocol.parse(job.args.protocol or settings.evaluation.protocol)
    registry = Registry(settings)
    if plan and not job.args.alias and registry.serving() is None:
        return "no model serves yet, nothing to measure beside the challenger"
    version = _version(registry, job.args.alias)
    folder = job.run_dir / "evaluation"
    evaluation, users = evaluate_model(
        version.path,
        settings,
        ds=job.ds,
        folder=folder / "snapshots",
        protocol=protocol,
        with_ablations=job.args.ablations,
    )
    shutil.rmtree(folder / "snapshots")
    keep_evaluation(job.run_dir, str(version), evaluation, users)
    if job.args.alias or settings.model.path is None:
        registry.log_evaluation(version, evaluation, TEMPORAL_FILE if protocol.before else EVALUATION_FILE)
    return f"model {version}, {protocol}, {evaluation['users']} users, NDCG@{evaluation['k']}: {_figures(evaluation)}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, which protocol, and whether tools are switched off and calls limited in turn."""
    parser.add_argument("--alias", help="version to measure (default: what serves)")
    parser.add_argument("--protocol", help="leave_last_one or temporal:YYYY-MM-DD (default: evaluation.protocol)")
    parser.add_argument("--ablations", action="store_true", help="also measure what each tool and each call is worth")


def _version(registry: Registry, alias: str | None) -> ModelVersion:
    version = registry.aliased(alias) if alias else registry.resolve()
    if version is None:
        raise RegistryError(f"no version has the alias {alias}; register one under it, or leave --alias out")
    return version


def _figures(evaluation: dict[str, Any]) -> str:
    alarms = [probe["name"] for probe in evaluation["probes"] if probe["is_alarm"]]
    figures = ", ".join(
        f"{s['name']} {s['ndcg']:.3f} [{s['ndcg_low']:.3f}, {s['ndcg_high']:.3f}]" for s in evaluation["systems"]
    )
    return f"{figures}; probes that alarm: {', '.join(alarms) or 'none'}"


if __name__ == "__main__":
    main("evaluate_model", run, add_arguments)
