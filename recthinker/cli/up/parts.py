"""The servers of `make up` as command lines, and what must be there before they start."""

import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version

from recthinker.cli.up.servers import Server
from recthinker.cli.up.site import HOST, Site
from recthinker.errors import JobError
from recthinker.registry import Registry
from recthinker.settings import Settings


def has_own_mlflow(settings: Settings) -> bool:
    """Whether MLflow is a database, which a page is started for; else it is a server already."""
    return not Registry(settings).tracking_uri.startswith("http")


def mlflow_address(site: Site, settings: Settings) -> str:
    """Where MLflow's page is."""
    return site.mlflow_url if has_own_mlflow(settings) else Registry(settings).tracking_uri


def airflow_environment(site: Site, environ: Mapping[str, str]) -> dict[str, str]:
    """Of Airflow's servers: this process's own, and what makes `airflow` mean theirs."""
    return {**environ, **site.airflow_environment()}


def servers_of(site: Site, settings: Settings, environ: Mapping[str, str]) -> list[Server]:
    """What is started, in order: Airflow's scheduler comes last, and so ends first."""
    found = [_mlflow(site, settings, environ)] if has_own_mlflow(settings) else []
    # Logs of tasks are read from the folder: a server for them would listen on every address of the machine.
    for name, *arguments in (("api-server",), ("dag-processor",), ("scheduler", "--skip-serve-logs")):
        argv = [sys.executable, "-m", "airflow", name, *arguments]
        found.append(Server(name, argv, airflow_environment(site, environ), site.logs / "up" / f"{name}.log"))
    return found


def migrate(site: Site, environ: Mapping[str, str]) -> None:
    """Make Airflow's database, or bring it up to date, once per version of Airflow.

    Raises:
        JobError: that failed.
    """
    stamp = site.home / f"migrated-{version('apache-airflow')}"
    if stamp.is_file():
        return
    log = site.logs / "up" / "db-migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "airflow", "db", "migrate"]
    with log.open("ab") as out:
        environment = airflow_environment(site, environ)
        done = subprocess.run(argv, cwd=site.root, env=environment, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise JobError(f"airflow db migrate exited {done.returncode}; what it wrote is in {log}")
    stamp.touch()


def _mlflow(site: Site, settings: Settings, environ: Mapping[str, str]) -> Server:
    """MLflow's page over the tables that jobs write to; one that runs no jobs and tells nobody about itself."""
    folder = settings.paths.mlflow.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(site.mlflow_port), "--workers=1"]
    stores = ["--backend-store-uri", Registry(settings).tracking_uri]
    stores += ["--default-artifact-root", (folder / "artifacts").as_uri()]
    environment = {**environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return Server("mlflow", [*argv, *stores], environment, site.logs / "up" / "mlflow.log")
