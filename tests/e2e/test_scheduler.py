"""`make up` on the tiny world: DAG runs that another shell triggers, on a real scheduler; an end without orphans."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from deltalake import DeltaTable

from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.cli.up.airflow_api import AirflowApi
from recthinker.cli.up.processes import running
from recthinker.cli.up.site import USER, Site
from recthinker.registry import Registry
from recthinker.settings import Settings, load_settings
from recthinker.tables.store import TableStore
from recthinker.tools import BUILT_IN
from recthinker.training.tiny import new_model, save_model
from tests import tiny_world
from tests.benchmarks.processes import kill_tree
from tests.benchmarks.spark_cluster import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
START_S = 240
RUN_S = 900
STOP_S = 60
SMALL = {
    "TRAINING__HOLDOUT_LAST": "2",
    "TRAINING__BASE_SHORT_EPISODES": "32",
    "TRAINING__BASE_EPISODES": "32",
    "TRAINING__SFT_EPISODES": "16",
    "COLLECT__REQUESTS": "8",
    "COLLECT__ROLLOUTS": "2",
    "RL__STEPS": "1",
    "RL__REQUESTS_PER_STEP": "2",
    "RL__ROLLOUTS": "2",
    "RL__MICRO_BATCH": "4",
    "INFERENCE__ENGINE": "vllm",
}
"""Settings with which a retraining takes seconds."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of all that is started; this process's own stays as it is."""
    values = SMALL | {
        "PATHS__VAR": str(tmp_path_factory.mktemp("scheduler") / "var"),
        "ORCHESTRATION__AIRFLOW_PORT": str(free_port()),
        "ORCHESTRATION__MLFLOW_PORT": str(free_port()),
    }
    ours = {f"RECTHINKER__{name}": value for name, value in values.items()}
    return {**os.environ, **ours, "RECTHINKER_ENV": "test", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def settings(environment: dict[str, str]) -> Settings:
    return load_settings(environ=environment)


@pytest.fixture(scope="module")
def site(settings: Settings) -> Site:
    return Site.of(settings, ROOT)


@pytest.fixture(scope="module")
def landed(settings: Settings, tiny_store: TableStore, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The tiny world's landing tables, and a model of random weights that serves."""
    shutil.copytree(tiny_store.root, settings.paths.warehouse)
    folder = tmp_path_factory.mktemp("model")
    chat = CompactFormat(train_tokenizer(tiny_world.TITLES, 400, BUILT_IN))
    save_model(new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=1), chat, folder)
    registry = Registry(settings)
    with registry.training_run("train") as run:
        registry.register(folder, run.run_id, alias=settings.model.alias)


@pytest.fixture(scope="module")
def up(environment: dict[str, str], site: Site, landed: None) -> Iterator["subprocess.Popen[bytes]"]:
    """`make up`, when it says that all is well."""
    out = site.logs / "up.out"
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "scripts/up.py"], env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_S
        while "airflow dags trigger" not in out.read_text():
            assert child.poll() is None, out.read_text()
            assert time.monotonic() < deadline, out.read_text()
            time.sleep(0.5)
        yield child
    finally:
        for process in of_this_site(site):
            kill_tree(process.pid)


def of_this_site(site: Site) -> list[psutil.Process]:
    """All processes on this machine that were started with the settings of the site."""
    var = str(site.airflow.parent)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("RECTHINKER__PATHS__VAR") == var:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return running(found)


def trigger(site: Site, dag_id: str, conf: dict[str, Any]) -> str:
    """`airflow dags trigger` from a shell that knows nothing of the site but its file; the run's id."""
    command = f". {shlex.quote(str(site.env_file))} && airflow dags trigger {dag_id} -r small -c '{json.dumps(conf)}'"
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", command], cwd="/", env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return "small"


def wait_for_run(api: AirflowApi, dag_id: str, run_id: str) -> dict[str, str]:
    """The state of each task, when the run has ended."""
    deadline = time.monotonic() + RUN_S
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
    while api.call("GET", path)["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, api.call("GET", f"{path}/taskInstances")
        time.sleep(1)
    tasks = api.call("GET", f"{path}/taskInstances")["task_instances"]
    return {task["task_id"]: task["state"] for task in tasks}


def run_to_its_end(site: Site, dag_id: str, **conf: Any) -> dict[str, str]:
    api = AirflowApi(site.airflow_url, USER, site.password())
    return wait_for_run(api, dag_id, trigger(site, dag_id, {"day": tiny_world.DS, **conf}))


def test_a_retraining_is_decided_on_and_the_next_night_runs_on_its_model(
    up: "subprocess.Popen[bytes]", site: Site, settings: Settings
) -> None:
    states = run_to_its_end(site, "retrain_recthinker")
    assert set(states.values()) == {"success"}, states
    run_dir = settings.paths.runs / tiny_world.DS / "small"
    registry = Registry(settings)
    decision = json.loads((run_dir / "gate.json").read_text(encoding="utf-8"))
    assert decision["challenger"] == "recthinker/2"
    # Of a handful of users nothing can be told.
    assert "too_few_users" in decision["reasons"]
    assert str(registry.resolve()) == "recthinker/1"
    assert "goes on serving" in (run_dir / "retrain_report.html").read_text(encoding="utf-8")

    challenger = registry.aliased(settings.gate.challenger)
    assert challenger is not None
    registry.promote(challenger, over=registry.champion())
    states = run_to_its_end(site, "nightly_recommendations")
    assert set(states.values()) == {"success"}, states
    rows = DeltaTable(Path(settings.paths.warehouse) / "recommendations").to_pyarrow_table()
    assert set(rows["model_version"].to_pylist()) == {"recthinker/2"}


def test_told_to_end_it_fails_open_runs_and_leaves_no_process(up: "subprocess.Popen[bytes]", site: Site) -> None:
    api = AirflowApi(site.airflow_url, USER, site.password())
    run = trigger(site, "feature_tables", {"day": tiny_world.DS})
    path = f"/api/v2/dags/feature_tables/dagRuns/{run}/taskInstances/features.build_features"
    while not any("jobs.build_features" in process.cmdline() for process in of_this_site(site)):
        assert api.call("GET", path)["state"] in (None, "scheduled", "queued", "running")
        time.sleep(0.2)
    up.send_signal(signal.SIGTERM)
    # Now and then Airflow's scheduler waits for an idle worker for ever, and both are killed: time for that, too.
    assert up.wait(STOP_S) == 0
    assert of_this_site(site) == []
    assert f"failed, because this ends: feature_tables {run}" in (site.logs / "up.out").read_text()
    assert site.pid_file.read_text() == ""
