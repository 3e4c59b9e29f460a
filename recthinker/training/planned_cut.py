"""The training cut of a retraining, at the table versions that its plan has fixed."""

from recthinker.evaluation import CutRows
from recthinker.lookup import FeatureRows
from recthinker.lookup.cut import read_cut
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan


def read_planned_cut(plan: RetrainPlan, settings: Settings) -> tuple[CutRows, FeatureRows, dict[str, int]]:
    """The rows of the cut, its feature tables, and the versions of all tables read.

    Raises:
        TableContractError: the cut was not built for D, or a version of the plan is no longer there.
    """
    grace_h = settings.features.arrival_grace_h
    return read_cut(settings.paths, plan.cut, plan.ds, grace_h=grace_h, versions=plan.tables)
