"""What serves, beside the baselines, on held-out interactions: of one logical date, or of each date of a range.

- Param `day` (`YYYY-MM-DD`): D; without it, the run's logical date, else the last complete UTC day. Params `from` and
  `to`, both included, take its place: each date is evaluated by itself, and one that fails stops no other.
- Reads: the landing tables and the model that serves. Writes: the training cut of each date, its evaluation beside the
  model (of a range that of the date evaluated last), figures of each user in `runs/<D>/<run>/evaluation`.
- Which interactions are held out is `evaluation.protocol` of the settings. Nothing is promoted.
- Safe to run again: a cut that is up to date is left alone. One run at a time, no night's shard beside it.
- By hand: `airflow dags trigger evaluate_recthinker -c '{"from": "1998-04-20", "to": "1998-04-22"}'`.
"""

from typing import Any

from airflow.sdk import dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException

from dags import _day
from dags._jobs import dag_arguments, day_param, refuse_unknown_params, run_job, whole_pool
from recthinker.errors import ConfigError
from recthinker.settings import load_settings

SETTINGS = load_settings()
PARAMS = {"from": day_param("first logical date of a range"), "to": day_param("last one of it")}


@task
def resolve_days() -> list[str]:
    """The logical dates of this run, oldest first."""
    refuse_unknown_params()
    context = get_current_context()
    day, first, last = (context["params"][name] for name in ("day", "from", "to"))
    try:
        if not (first or last):
            return [_day.resolve(context["dag_run"], day)]
        if day:
            raise ConfigError(f"param day={day} should not be given beside a range, found from={first}, to={last}")
        return _day.resolve_range(context["dag_run"], first, last)
    except ConfigError as error:
        raise AirflowFailException(str(error)) from error


@task(max_active_tis_per_dag=1, map_index_template="{{ shown_day }}")
def build_cut(day: str) -> str:
    """The training cut of the protocol, with candidates."""
    _show(day)
    return run_job("build_features", day, f"--cut={SETTINGS.evaluation.cut}", "--with-candidates")


@task(map_index_template="{{ shown_day }}", **whole_pool(SETTINGS))
def evaluate_model(day: str) -> str:
    """The model that serves and the baselines, on the users of the date."""
    _show(day)
    return run_job("evaluate_model", day)


def _show(day: str) -> None:
    context: Any = get_current_context()
    context["shown_day"] = day  # read by map_index_template


@task_group
def evaluation(day: str) -> None:
    """One date."""
    built: Any = build_cut(day)
    built >> evaluate_model(day)


@dag(
    dag_id="evaluate_recthinker",
    doc_md=__doc__,
    schedule=None,
    tags=["recthinker", "evaluation"],
    **dag_arguments(SETTINGS, PARAMS),
)
def evaluate_recthinker() -> None:
    """One evaluation for each date."""
    evaluation.expand(day=resolve_days())


evaluate_recthinker()
