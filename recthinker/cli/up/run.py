"""The life of `make up`: start, wait until all is well, stay, let open runs end, end."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from recthinker.cli.up.airflow_api import AirflowApi, OpenRun
from recthinker.cli.up.health import unwell
from recthinker.cli.up.parts import has_own_mlflow, migrate, mlflow_address, servers_of
from recthinker.cli.up.pid_file import PidFile
from recthinker.cli.up.ports import require_free
from recthinker.cli.up.processes import end
from recthinker.cli.up.servers import Servers
from recthinker.cli.up.site import USER, Site
from recthinker.cli.up.stopping import Stopping
from recthinker.errors import JobError
from recthinker.settings import Settings

START_S = 300.0
"""Within which all must be well."""
POLL_S = 1.0
LOOK_S = 5.0
"""Between two looks at the servers, and at open runs that are waited for."""
SHOWN_ON_FAILURE = 15


def up(settings: Settings, root: Path, environ: Mapping[str, str], console: Console) -> None:
    """Run the servers until this process is told to end, or one of them ends.

    Args:
        settings: those in force.
        root: of the checkout.
        environ: of this process.
        console: for people.

    Raises:
        ConfigError: a port is taken.
        JobError: a server did not start, or ended.
    """
    site = Site.of(settings, root)
    pid_file = PidFile(site.pid_file)
    if owner := pid_file.owner():
        console.out(f"up already, by process {owner}; Ctrl-C there, or `kill {owner}`, ends it", highlight=False)
        _print_addresses(site, settings, console)
        return
    with pid_file.hold() as left:
        pid_file.record(os.getpid(), left)
        if left:
            console.out(f"ending {len(left)} processes that one which crashed has left", highlight=False)
            end(left)
        require_free(site.airflow_port, "orchestration.airflow_port")
        if has_own_mlflow(settings):
            require_free(site.mlflow_port, "orchestration.mlflow_port")
        _Running(settings, site, pid_file, console).run(environ)


class _Running:
    """One that is up.

    Args:
        settings: those in force.
        site: where its servers are.
        pid_file: held by this process.
        console: for people.
    """

    def __init__(self, settings: Settings, site: Site, pid_file: PidFile, console: Console) -> None:
        self._settings = settings
        self._site = site
        self._pid_file = pid_file
        self._console = console
        self._api = AirflowApi(site.airflow_url, USER, site.password())
        self._servers = Servers(site.root)
        self._stopping = Stopping()

    def run(self, environ: Mapping[str, str]) -> None:
        """From the start to the end; raises as `up`."""
        self._site.write_env_file()
        self._say("making Airflow's database, where it is not there yet")
        migrate(self._site, environ)
        try:
            for server in servers_of(self._site, self._settings, environ):
                self._servers.start(server)
            if self._wait_until_well():
                self._set_pool()
                _print_addresses(self._site, self._settings, self._console)
                while not self._stopping.is_wanted:
                    self._look(LOOK_S)
                self._let_runs_end()
        finally:
            self._say("ending")
            if killed := self._servers.stop():
                self._say(f"had to be killed: {', '.join(killed)}")

    def _set_pool(self) -> None:
        orchestration = self._settings.orchestration
        try:
            self._api.set_pool(orchestration.inference_pool, orchestration.inference_pool_slots)
        except OSError as error:
            raise JobError(f"Airflow did not take the pool {orchestration.inference_pool}: {error}") from error

    def _wait_until_well(self) -> bool:
        """Whether all is well; False: told to end before.

        Raises:
            JobError: something is not, after `START_S`; or a server has ended.
        """
        started, shown = time.monotonic(), ""
        with self._console.status("") as status:
            while not self._stopping.is_wanted:
                waiting_for = ", ".join(unwell(self._api, self._site, self._settings))
                seconds = time.monotonic() - started
                if not waiting_for:
                    self._say(f"all is well after {seconds:.0f} s")
                    return True
                if seconds > START_S:
                    raise JobError(f"after {seconds:.0f} s not well: {waiting_for}; logs: {self._site.logs / 'up'}")
                status.update(f"{seconds:.0f} s, waiting for {waiting_for}")
                if waiting_for != shown:
                    self._say(f"waiting for {waiting_for}")
                    shown = waiting_for
                self._look(POLL_S)
        return False

    def _look(self, seconds: float) -> None:
        """Pass the time, then look after the servers.

        Raises:
            JobError: one has ended.
        """
        self._stopping.wait(seconds)
        self._pid_file.record(os.getpid(), self._servers.processes())
        if found := self._servers.ended():
            server, code = found
            end_of_log = server.log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_ON_FAILURE:]
            raise JobError(f"{server.name} exited {code}; the end of {server.log}:\n" + "\n".join(end_of_log))

    def _let_runs_end(self) -> None:
        """Wait for runs that are queued or running; fail them where there is no time for that."""
        told: list[OpenRun] = []
        while (runs := self._open_runs()) and not self._stopping.is_urgent:
            if runs != told:
                self._say(f"waiting for {', '.join(map(str, runs))}; Ctrl-C again: they fail")
                told = runs
            self._look(LOOK_S)
        for run in runs:
            try:
                self._api.fail(run)
                self._say(f"failed, because this ends: {run}; clear its failed tasks to go on with it")
            except OSError as error:
                self._say(f"Airflow did not fail {run}: {error}")

    def _open_runs(self) -> list[OpenRun]:
        try:
            return self._api.open_runs()
        except OSError as error:
            self._say(f"Airflow does not tell which runs are open ({error})")
            return []

    def _say(self, text: str) -> None:
        self._console.out(text, highlight=False)


def _print_addresses(site: Site, settings: Settings, console: Console) -> None:
    lines = (
        f"Airflow  {site.airflow_url}  user {USER}, password in {site.password_file}",
        f"MLflow   {mlflow_address(site, settings)}",
        f"logs     {site.logs / 'up'}, of tasks {site.logs / 'airflow'}",
        f"trigger  . {site.env_file} && airflow dags trigger retrain_recthinker",
        "Ctrl-C ends it",
    )
    for line in lines:
        console.out(line, highlight=False)
