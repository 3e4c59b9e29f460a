"""How a retraining is planned: everything that decides what comes out is resolved once, and kept.

A plan that is there stays, in the run's folder or, where that was lost, in MLflow: a retry goes on with what the run
began with. A run like an earlier one takes over that one's plan, and tells what is not as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recthinker.errors import ConfigError
from recthinker.lookup.cut_versions import cut_versions, require_versions
from recthinker.registry import ModelVersion, Registry, Retrainings
from recthinker.registry.versions import version_of_folder
from recthinker.settings import PathSettings, Settings
from recthinker.training.retrain_plan import SECTIONS, STAGES, RetrainPlan
from recthinker.training.stage import read_result

NEEDS: Mapping[str, tuple[str, ...]] = {
    "base": (),
    "collect": (),
    "select": ("collect",),
    "sft": ("base", "select"),
    "rl": ("sft",),
}
"""By stage, those whose results it starts from."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A retraining that is to be run again."""

    mlflow_run: str
    plan: RetrainPlan
    changed: Mapping[str, tuple[str, str]]
    """Code and packages that are not what they were: (then, now)."""


def make_plan(
    registry: Registry, settings: Settings, *, ds: str, run_id: str, stages: Sequence[str], promote: bool
) -> RetrainPlan:
    """The plan of a retraining of D that starts from what serves now; no MLflow run is opened for it, and no table
    version pinned.

    Raises:
        ConfigError: the stages cannot be run so.
        RegistryError: the champion is no model.
    """
    champion = registry.serving()
    return RetrainPlan(
        ds=ds,
        run_id=run_id,
        stages=require_stages(stages, settings.paths.runs / ds / run_id),
        champion=None if champion is None else str(champion),
        champion_path=None if champion is None else str(champion.path.absolute()),
        promote=promote,
        mlflow_run="",
        settings=settings.model_dump(mode="json", include=set(SECTIONS)),
    )


def read_earlier(retrainings: Retrainings, mlflow_run: str) -> Earlier:
    """The retraining of an MLflow run, given by its id or by that of a run under it.

    Raises:
        RegistryError: there is no such run.
        ConfigError: it is no retraining's.
    """
    fields = retrainings.plan_of(mlflow_run)
    if fields is None:
        raise ConfigError(
            f"MLflow run {mlflow_run} holds no retrain_plan.json: give the id of a run `retrain D`, or of one under it"
        )
    return Earlier(mlflow_run, RetrainPlan.of(fields), retrainings.changed_code(mlflow_run))


def plan_like(
    earlier: Earlier, registry: Registry, settings: Settings, *, ds: str, run_id: str, promote: bool
) -> tuple[RetrainPlan, list[str]]:
    """The plan of a run like an earlier one, no MLflow run opened for it yet, and what is not as it was then.

    Args:
        settings: with the earlier plan's sections in force, as far as they are known today.

    Raises:
        ConfigError: it is of another date, or its stages cannot be run so.
        RegistryError: the model that it started from is gone, or another one lies in its place.
        TableContractError: a table can no longer be read at the version of then.
    """
    then = earlier.plan
    if then.ds != ds:
        raise ConfigError(
            f"MLflow run {earlier.mlflow_run} is a retraining of {then.ds}, not of {ds}; pass --ds {then.ds}"
        )
    require_versions(settings.paths, then.cut, ds, then.tables)
    champion = _champion_of(then, registry)
    plan = replace(
        then,
        run_id=run_id,
        stages=require_stages(then.stages, settings.paths.runs / ds / run_id),
        champion_path=None if champion is None else str(champion.path.absolute()),
        promote=promote,
        mlflow_run="",
        like=earlier.mlflow_run,
        settings=settings.model_dump(mode="json", include=set(SECTIONS)),
    )
    return plan, [*_changed(earlier), *_added(then.settings, plan.settings), *_moved(plan, registry, settings)]


def start(retrainings: Retrainings, paths: PathSettings, plan: RetrainPlan, run_dir: Path) -> RetrainPlan:
    """Pin the tables of a plan, open its MLflow run and keep the plan with both; the plan that stands: where MLflow
    holds one of this run whose folder was lost, that one.

    Args:
        plan: new, or the one that the run's folder holds.

    Raises:
        TableContractError: the training cut was not built for D.
        RegistryError: MLflow does not take it; nothing is lost by doing it again.
    """
    if plan.mlflow_run:
        retrainings.reopen(plan.mlflow_run)
    else:
        tables = plan.tables or cut_versions(paths, plan.cut, plan.ds)
        parent = retrainings.open(plan.ds, plan.run_id, like=plan.like)
        logged = retrainings.plan_of(parent)
        plan = RetrainPlan.of(logged) if logged else replace(plan, mlflow_run=parent, tables=tables)
        plan.write(run_dir)
    retrainings.log_plan(plan.mlflow_run, asdict(plan), plan.tables, plan.cut)
    return plan


def require_stages(stages: Sequence[str], run_dir: Path) -> tuple[str, ...]:
    """`stages`, when they can be run in that order.

    Raises:
        ConfigError: one is unknown, they are out of order, or one starts from another that is neither among them nor
            done in `run_dir`.
    """
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise ConfigError(f"stages of a retraining are {', '.join(STAGES)}; found {', '.join(unknown) or 'none'}")
    if list(stages) != [stage for stage in STAGES if stage in stages]:
        raise ConfigError(f"stages run once each, in the order {', '.join(STAGES)}; found {', '.join(stages)}")
    for stage in stages:
        for needed in NEEDS[stage]:
            if needed not in stages and read_result(run_dir, needed) is None:
                raise ConfigError(
                    f"stage {stage} starts from what {needed} leaves, which is neither among the stages nor done in "
                    f"{run_dir}; add {needed} to --stages"
                )
    return tuple(stages)


def _champion_of(plan: RetrainPlan, registry: Registry) -> ModelVersion | None:
    """The model that a plan starts from, if it is still that one."""
    if plan.champion is None:
        return None
    if plan.settings["model"]["path"] is None:
        return registry.numbered(plan.champion.rpartition("/")[2])
    found = version_of_folder(Path(str(plan.champion_path)))
    if str(found) != plan.champion:
        raise ConfigError(
            f"the retraining started from {plan.champion} in {plan.champion_path}, but {found} lies there now; put the "
            "model of then back, or plan anew"
        )
    return found


def _changed(earlier: Earlier) -> list[str]:
    return [f"{name}: then {then}, now {now}" for name, (then, now) in earlier.changed.items()]


def _added(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Settings that the earlier run did not know."""
    return [
        f"setting {section}.{key}: not known then, now {value}"
        for section, values in now.items()
        for key, value in values.items()
        if key not in then.get(section, {})
    ]


def _moved(plan: RetrainPlan, registry: Registry, settings: Settings) -> list[str]:
    """Tables and champion that a plan made today would take at other versions."""
    serving = registry.serving()
    told = [
        f"table {name}: read at version {plan.tables[name]} as then, today's is {version}"
        for name, version in cut_versions(settings.paths, plan.cut, plan.ds).items()
        if plan.tables[name] != version
    ]
    if (None if serving is None else str(serving)) != plan.champion:
        told.append(f"champion: starts from {plan.champion or 'the scripted planner'} as then, {serving} serves today")
    return told
