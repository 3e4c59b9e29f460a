"""The calls that `make up` makes, against a small server that answers as Airflow 3.3 does (seen at a real one)."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from recthinker.cli.up.airflow_api import AirflowApi, OpenRun

HEALTH = {
    "metadatabase": {"status": "healthy"},
    "scheduler": {"status": "unhealthy"},
    "triggerer": {"status": None},
    "dag_processor": {"status": None},
}
RUNS = {
    "dag_runs": [{"dag_id": "feature_tables", "dag_run_id": "manual__2026-11-25T11:08:59+00:00", "state": "running"}]
}
ANSWERS: dict[str, Any] = {
    "POST /auth/token": (201, {"access_token": "t"}),
    "GET /api/v2/monitor/health": (200, HEALTH),
    "GET /api/v2/dags?limit=100": (200, {"dags": [{"dag_id": "a"}, {"dag_id": "b"}]}),
    "GET /api/v2/dags/~/dagRuns?state=running&state=queued&limit=100&order_by=run_after": (200, RUNS),
    "PATCH /api/v2/pools/new": (404, {}),
    "PATCH /api/v2/pools/there": (200, {}),
    "POST /api/v2/pools": (201, {}),
    "GET /page": (200, b"<html>Starting</html>"),
    "PATCH /api/v2/dags/feature_tables/dagRuns/manual__2026-11-25T11%3A08%3A59%2B00%3A00": (200, {}),
}


class Handler(BaseHTTPRequestHandler):
    calls: list[tuple[str, Any]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = f"{self.command} {self.path}"
        is_known = name == "POST /auth/token" or self.headers["Authorization"] == "Bearer t"
        self.calls.append((name, json.loads(body) if body else None))
        code, found = ANSWERS.get(name, (400, {})) if is_known else (401, {})
        self.send_response(code)
        self.end_headers()
        self.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def calls() -> list[tuple[str, Any]]:
    return []


@pytest.fixture
def api(calls: list[tuple[str, Any]]) -> Iterator[AirflowApi]:
    with HTTPServer(("127.0.0.1", 0), type("Recording", (Handler,), {"calls": calls})) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield AirflowApi(f"http://127.0.0.1:{server.server_port}", "admin", "secret")
        server.shutdown()
        thread.join()


def test_what_is_not_well_is_named(api: AirflowApi, calls: list[tuple[str, Any]]) -> None:
    assert api.unhealthy() == ["scheduler", "dag_processor"]  # no triggerer runs
    assert calls[0] == ("POST /auth/token", {"username": "admin", "password": "secret"})
    assert api.dag_ids() == {"a", "b"}


def test_a_pool_is_made_or_gets_another_size(api: AirflowApi, calls: list[tuple[str, Any]]) -> None:
    api.set_pool("new", 4)
    assert calls[-1] == ("POST /api/v2/pools", {"name": "new", "slots": 4, "include_deferred": False})
    api.set_pool("there", 2)
    assert calls[-1] == ("PATCH /api/v2/pools/there", {"pool": "there", "slots": 2, "include_deferred": False})


def test_open_runs_are_named_and_failed(api: AirflowApi, calls: list[tuple[str, Any]]) -> None:
    [run] = api.open_runs()
    assert run == OpenRun("feature_tables", "manual__2026-11-25T11:08:59+00:00", "running")
    api.fail(run)
    assert calls[-1][1] == {"state": "failed"}


def test_an_airflow_that_is_not_there_raises_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        AirflowApi("http://127.0.0.1:9", "admin", "secret").unhealthy()


def test_a_server_that_is_no_airflow_raises_os_error(api: AirflowApi) -> None:
    with pytest.raises(OSError, match="should answer with JSON, found b'<html>Starting"):
        api.call("GET", "/page")
