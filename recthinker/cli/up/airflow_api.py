"""What `make up` asks Airflow's REST API (is all well, which runs are open), and tells it (the pool, failed runs)."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 20.0
MAX_RUNS = 100


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A DAG run that is queued or running."""

    dag_id: str
    run_id: str
    state: str

    def __str__(self) -> str:
        return f"{self.dag_id} {self.run_id} ({self.state})"


@dataclass(frozen=True, slots=True)
class AirflowApi:
    """The API of one Airflow; any call raises OSError where it does not answer, or refuses."""

    url: str
    user: str
    password: str

    def unhealthy(self) -> list[str]:
        """Names of those components that do not tell that they are well."""
        found = self.call("GET", "/api/v2/monitor/health")
        parts = ("metadatabase", "scheduler", "dag_processor")
        return [part for part in parts if found[part]["status"] != "healthy"]

    def dag_ids(self) -> set[str]:
        """The DAGs that were read so far."""
        return {dag["dag_id"] for dag in self.call("GET", "/api/v2/dags?limit=100")["dags"]}

    def set_pool(self, name: str, slots: int) -> None:
        """A pool of that size; it is made where it is missing."""
        size = {"slots": slots, "include_deferred": False}
        try:
            self.call("PATCH", f"/api/v2/pools/{name}", {"pool": name, **size})
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            self.call("POST", "/api/v2/pools", {"name": name, **size})

    def open_runs(self) -> list[OpenRun]:
        """Runs that are queued or running, the oldest `MAX_RUNS`."""
        query = f"state=running&state=queued&limit={MAX_RUNS}&order_by=run_after"
        found = self.call("GET", f"/api/v2/dags/~/dagRuns?{query}")["dag_runs"]
        return [OpenRun(run["dag_id"], run["dag_run_id"], run["state"]) for run in found]

    def fail(self, run: OpenRun) -> None:
        """The run has failed: its tasks are ended."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{urllib.parse.quote(run.run_id, safe='')}"
        self.call("PATCH", path, {"state": "failed"})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for a path with its query; the answer, read as JSON."""
        return _request(self.url + path, method, body, token=self._token())

    def _token(self) -> str:
        """A new one each time: this is asked seldom, and an old one would run out."""
        login = {"username": self.user, "password": self.password}
        return str(_request(f"{self.url}/auth/token", "POST", login)["access_token"])


def _request(url: str, method: str, body: dict[str, Any] | None, token: str | None = None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    # No proxy of the environment: the servers are on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        text = answer.read()
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise OSError(f"{url} should answer with JSON, found {text[:80]!r}") from error
    return found
