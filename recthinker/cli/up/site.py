"""Where the servers of `make up` keep their files and answer, and the environment that an `airflow` command needs."""

import base64
import json
import os
import secrets
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recthinker.settings import Settings

HOST = "127.0.0.1"
USER = "admin"
MIN_PARALLELISM = 2
"""Tasks at once, beside which a night's shards have slots of their own."""


@dataclass(frozen=True, slots=True)
class Site:
    """The servers' files and addresses. Their Airflow has a database of its own: a scheduler takes the tasks of every
    run that it finds, those of `airflow dags test` too.
    """

    root: Path
    """The checkout: `dags/` and `jobs/` of it run."""
    airflow: Path
    """`var/airflow`, absolute."""
    logs: Path
    """`var/logs`, absolute."""
    airflow_port: int
    mlflow_port: int
    parallelism: int
    """Tasks that run at once."""

    @classmethod
    def of(cls, settings: Settings, root: Path) -> "Site":
        """The site of the settings."""
        orchestration = settings.orchestration
        return cls(
            root=root,
            airflow=settings.paths.airflow.absolute(),
            logs=settings.paths.logs.absolute(),
            airflow_port=orchestration.airflow_port,
            mlflow_port=orchestration.mlflow_port,
            parallelism=MIN_PARALLELISM + orchestration.inference_pool_slots,
        )

    @property
    def home(self) -> Path:
        """Home of the Airflow that has a scheduler."""
        return self.airflow / "up"

    @property
    def env_file(self) -> Path:
        """To be read by a shell in which `airflow` should mean this Airflow."""
        return self.airflow / "env"

    @property
    def pid_file(self) -> Path:
        """Which processes are up."""
        return self.airflow / "up.pid"

    @property
    def password_file(self) -> Path:
        """Passwords by user, as Airflow reads them."""
        return self.home / "passwords.json"

    @property
    def airflow_url(self) -> str:
        """Page and API of Airflow."""
        return f"http://{HOST}:{self.airflow_port}"

    @property
    def mlflow_url(self) -> str:
        """Page of MLflow."""
        return f"http://{HOST}:{self.mlflow_port}"

    def password(self) -> str:
        """The password of `USER`, made when it is first asked for."""
        return _kept(self.password_file, lambda: {USER: secrets.token_urlsafe(12)})[USER]

    def airflow_environment(self) -> dict[str, str]:
        """What makes `airflow` mean this one; the keys in it are made once and kept."""
        keys = _kept(self.home / "secrets.json", _new_keys)
        self.password()
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__SECRET_KEY": keys["api"],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.root / "dags"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": str(self.parallelism),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.logs / "airflow"),
            "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(self.logs / "airflow" / "dag_processor"),
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            # Else warnings stand before what a command prints as JSON.
            "PYTHONWARNINGS": "ignore",
            # The library that runs is that of the DAGs, whichever is installed.
            "PYTHONPATH": str(self.root),
        }

    def write_env_file(self) -> None:
        """Write `env_file`, readable by its owner alone: it holds keys."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.airflow_environment().items()]
        lines.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
        _write_private(self.env_file, "\n".join(lines) + "\n")


def _new_keys() -> dict[str, str]:
    return {
        "api": secrets.token_hex(32),
        "jwt": secrets.token_hex(64),
        "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


def _kept(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What the file holds; it is made where it is missing."""
    if not path.is_file():
        _write_private(path, json.dumps(make()))
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, whole or not at all; a folder that it makes is no one else's too."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
