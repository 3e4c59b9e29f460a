"""A retraining in MLflow: one run for all of it, and under it one for each stage and for the gate.

Runs are found by their tags. The parent is used again by a retry. A stage's run is written whole or anew: one that was
cut off, or that tells of another result, is taken away first, so that no curve holds the points of two trainings.
What a stage read is an input of the parent too: it stays readable while the retraining goes on, and as long as a
version that it made is registered (`recthinker.registry.reads`).
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from recthinker.errors import RegistryError
from recthinker.registry.code import PACKAGE, code_tags, installed_packages
from recthinker.registry.gate_run import gate_run
from recthinker.registry.nested import PARENT_TAG, NestedRun, write_nested
from recthinker.registry.runs import TOUCHED_TAG, Run, now_ms
from recthinker.registry.traces import Row, set_traces
from recthinker.registry.tracking import Tracking
from recthinker.settings import Settings

KIND = "retrain"
"""Tag `kind` of the parent."""
PLAN_FILE = "retrain_plan.json"
ENVIRONMENT_FILE = "environment.txt"


class Retrainings:
    """The retrainings of the settings' experiment. Each method raises RegistryError where MLflow does not take it; all
    can be called again.
    """

    def __init__(self, settings: Settings) -> None:
        self._mlflow = Tracking(settings)

    def open(self, ds: str, run_id: str, *, like: str | None = None) -> str:
        """The id of the parent run of a retraining, which goes on from now; a new one where there is none.

        Args:
            like: MLflow run that it repeats.
        """
        with self._reaching(f"retraining {ds}/{run_id}"):
            client, experiment = self._mlflow.client, self._mlflow.experiment_id
            wanted = f"tags.kind = '{KIND}' and tags.ds = '{ds}' and tags.run_id = '{run_id}'"
            found = client.search_runs([experiment], wanted, max_results=1)
            if found and not self._has_plan(found[0].info.run_id):
                # Cut off before its plan was there: what it tells may be of another one.
                client.delete_run(found.pop().info.run_id)
            tags = {"kind": KIND, "ds": ds, "run_id": run_id, **code_tags(), TOUCHED_TAG: now_ms()}
            tags |= {"like": like} if like else {}
            if not found:
                created = client.create_run(experiment, run_name=f"retrain {ds}", tags=tags)
                return str(created.info.run_id)
            parent = str(found[0].info.run_id)
            for name, value in tags.items():
                client.set_tag(parent, name, value)
        self.reopen(parent)
        return parent

    def reopen(self, parent: str) -> None:
        """A retraining that ended, or was killed, goes on."""
        with self._reaching(f"run {parent}"):
            self._mlflow.client.update_run(parent, status="RUNNING")
            Run(self._mlflow.client, parent).touch()

    def log_plan(self, parent: str, plan: Mapping[str, Any], tables: Mapping[str, int], cut: str) -> None:
        """What the retraining is: its plan, its settings as parameters, what is installed, the tables it will read.

        Args:
            plan: as JSON; `plan["settings"]` by section.
            tables: Delta version by table.
            cut: training cut that these are of.
        """
        with self._reaching("the plan"):
            run = Run(self._mlflow.client, parent)
            run.log_params({"stages": ", ".join(plan["stages"]), "champion": plan["champion"], **plan["settings"]})
            run.log_table_versions(tables, cut)
            self._mlflow.client.log_text(parent, installed_packages(), ENVIRONMENT_FILE)
            # Last: it tells that all of this is there.
            self._mlflow.client.log_text(parent, json.dumps(plan, indent=2), PLAN_FILE)

    def plan_of(self, mlflow_run: str) -> dict[str, Any] | None:
        """The plan of a retraining, by the id of its run or of one under it; None: that run has none.

        Raises:
            RegistryError: there is no such run.
        """
        if not self._mlflow.exists():
            raise RegistryError(f"there is no MLflow at {self._mlflow.uri}, so no run {mlflow_run}")
        with self._reaching(f"run {mlflow_run}"):
            client = self._mlflow.client
            parent = client.get_run(mlflow_run).data.tags.get(PARENT_TAG, mlflow_run)
            if not self._has_plan(parent):
                return None
            with tempfile.TemporaryDirectory() as folder:
                path = Path(client.download_artifacts(parent, PLAN_FILE, folder))
                plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return plan

    def _has_plan(self, parent: str) -> bool:
        return PLAN_FILE in {entry.path for entry in self._mlflow.client.list_artifacts(parent)}

    def changed_code(self, mlflow_run: str) -> dict[str, tuple[str, str]]:
        """Code version, Python, platform and main packages that differ from those of a retraining: (then, now)."""
        with self._reaching(f"run {mlflow_run}"):
            client = self._mlflow.client
            tags = client.get_run(mlflow_run).data.tags
            then = client.get_run(tags.get(PARENT_TAG, mlflow_run)).data.tags
        now = code_tags()
        names = [*now, *(name for name in then if name.startswith(PACKAGE) and name not in now)]
        told = {name: (then.get(name, "none"), now.get(name, "none")) for name in names}
        return {name: pair for name, pair in told.items() if pair[0] != pair[1]}

    def log_stage(self, parent: str, result: Mapping[str, Any]) -> str:
        """A stage that is done, as a run under the retraining's; the run's id.

        Args:
            result: `stage`, `summary`, `figures`, `params`, `curves` ((step, value) by name), `texts` (by file name),
                `tables` (Delta version by name) and `cut`. A figure `seconds` is how long the run took.
        """
        with self._reaching(f"stage {result['stage']}"):
            run = NestedRun(
                name=result["stage"],
                summary=result["summary"],
                metrics=result["figures"],
                params=result["params"],
                curves=result["curves"],
                texts=result["texts"],
                tables=result["tables"],
                cut=result["cut"],
            )
            return self._write(parent, run)

    def log_gate(
        self,
        parent: str,
        decision: Mapping[str, Any],
        challenger: Mapping[str, Any],
        champion: Mapping[str, Any] | None,
        *,
        model_id: str,
    ) -> str:
        """What the gate decided and the two evaluations that it rests on, as the run `evaluate`; arguments as
        `gate_run`. Its decision is a tag of the retraining too.
        """
        with self._reaching("the gate's decision"):
            run = gate_run(decision, challenger, champion, model_id=model_id)
            for name, value in run.tags.items():
                self._mlflow.client.set_tag(parent, name, value)
            return self._write(parent, run)

    def log_traces(self, run_id: str, rows: Sequence[Row]) -> None:
        """Make the traces of a run those of some episodes.

        Args:
            rows: of `trajectories`, their maps as dicts.
        """
        with self._reaching(f"traces of run {run_id}"):
            client = self._mlflow.client
            started = datetime.fromtimestamp(client.get_run(run_id).info.start_time / 1000, UTC)
            set_traces(client, self._mlflow.experiment_id, run_id, started, rows)

    def end(self, parent: str, status: Literal["FINISHED", "FAILED"], page: Path | None = None) -> None:
        """The retraining is over: keep its page with it, and protect what it read no longer."""
        with self._reaching(f"the end of run {parent}"):
            if page is not None:
                self._mlflow.client.log_artifact(parent, str(page))
            self._mlflow.client.set_terminated(parent, status)

    def _write(self, parent: str, run: NestedRun) -> str:
        client = self._mlflow.client
        above = Run(client, parent)
        above.log_table_versions(run.tables, run.cut)
        above.touch()
        return write_nested(client, self._mlflow.experiment_id, parent, run)

    @contextmanager
    def _reaching(self, what: str) -> Iterator[None]:
        try:
            yield
        except RegistryError:
            raise
        except Exception as error:  # MLflow's stores raise whatever their drivers raise
            raise RegistryError(
                f"MLflow at {self._mlflow.uri} did not take or give {what}: {error!r}; run the step again when it can"
            ) from error
