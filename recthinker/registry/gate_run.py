"""The evaluation of challenger and champion, and what the gate decided on them, as a run under the retraining's.

Metrics: `challenger/agent/ndcg` with `_low` and `_high` of its interval, the same for every system and for the
champion; `gate/difference`; of each check of the gate what was found and what was asked. The challenger's own figures
are those of its LoggedModel too.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from recthinker.registry.nested import NestedRun

RUN_NAME = "evaluate"
METRICS = ("ndcg", "hr", "mrr")
PARTS = ("", "_low", "_high")
COST = ("calls", "seconds_per_user")
SETTINGS = ("protocol", "protocol_name", "users", "k", "requests")
"""Of an evaluation: what was asked."""


def gate_run(
    decision: Mapping[str, Any],
    challenger: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    *,
    model_id: str,
) -> NestedRun:
    """What MLflow is told of a decision.

    Args:
        decision: gate.json.
        challenger: its evaluation.json; `champion` the champion's, None where there is none.
        model_id: the challenger's LoggedModel.
    """
    names = {"challenger": decision["challenger"], "champion": decision["champion"]}
    return NestedRun(
        name=RUN_NAME,
        summary=f"{names['challenger']} against {names['champion']}: {decision['headline']}",
        metrics={
            **_evaluation("challenger", challenger),
            **(_evaluation("champion", champion) if champion else {}),
            **_interval("gate/difference", decision["difference"]),
            **_interval("gate/calls_over_allowed", decision["calls_over_allowed"]),
            **_checks(decision["checks"]),
        },
        params={**names, **{name: challenger[name] for name in SETTINGS}},
        texts={
            "evaluation.json": json.dumps({"challenger": challenger, "champion": champion}, indent=2),
            "gate.json": json.dumps(decision, indent=2),
        },
        tags={
            "promoted": str(decision["moves"]).lower(),
            "gate": "passed" if decision["is_promoted"] else "refused",
            "gate.reasons": ", ".join(decision["reasons"]) or "none",
        },
        model_id=model_id,
        model_metrics=_system(challenger["systems"][0]),
    )


def _evaluation(who: str, evaluation: Mapping[str, Any]) -> dict[str, float]:
    found = {
        f"{who}/{system['name'].replace(' ', '_')}/{name}": value
        for system in evaluation["systems"]
        for name, value in _system(system).items()
    }
    return found | {f"{who}/{name}": float(evaluation["cost"][name]) for name in COST}


def _system(system: Mapping[str, Any]) -> dict[str, float]:
    return {f"{metric}{part}": float(system[f"{metric}{part}"]) for metric in METRICS for part in PARTS}


def _interval(name: str, interval: Mapping[str, float]) -> dict[str, float]:
    return {name: interval["mean"], f"{name}_low": interval["low"], f"{name}_high": interval["high"]}


def _checks(checks: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By reason; of several checks with one reason, one that is not met where there is one."""
    found: dict[str, float] = {}
    for check in sorted(checks, key=lambda check: bool(check["is_met"]), reverse=True):
        found[f"gate/{check['reason']}"] = float(check["value"])
        found[f"gate/{check['reason']}_bound"] = float(check["bound"])
    return found
