"""Keys, passwords and the environment of `make up`'s Airflow."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from recthinker.cli.up.site import USER, Site
from recthinker.settings import Settings


@pytest.fixture
def site(settings: Settings, tmp_path: Path) -> Site:
    return Site.of(settings, tmp_path / "check out")


def test_keys_and_password_are_made_once_and_are_their_owners_alone(site: Site, settings: Settings) -> None:
    first = site.airflow_environment()
    site.write_env_file()
    assert Site.of(settings, site.root).airflow_environment() == first
    assert json.loads(site.password_file.read_text(encoding="utf-8")) == {USER: site.password()}
    assert len(site.password()) >= 16
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    modes = {path.name: path.stat().st_mode & 0o777 for path in (site.env_file, site.home, *site.home.iterdir())}
    assert modes == {"env": 0o600, "up": 0o700, "passwords.json": 0o600, "secrets.json": 0o600}


def test_other_sites_have_other_keys(site: Site, settings: Settings, tmp_path: Path) -> None:
    paths = settings.paths.model_copy(update={"var": tmp_path / "other"})
    other = Site.of(settings.model_copy(update={"paths": paths}), site.root)
    names = ("API__SECRET_KEY", "API_AUTH__JWT_SECRET", "CORE__FERNET_KEY")
    mine, theirs = site.airflow_environment(), other.airflow_environment()
    assert all(mine[f"AIRFLOW__{name}"] != theirs[f"AIRFLOW__{name}"] for name in names)
    assert site.password() != other.password()


def test_a_shell_that_reads_the_file_has_that_environment(site: Site) -> None:
    site.write_env_file()
    shown = f"cd / && . {shlex.quote(str(site.env_file))} && env -0"
    made = subprocess.run(["sh", "-c", shown], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    found = dict(line.split("=", 1) for line in made.stdout.decode().split("\0") if line)
    assert found.items() >= site.airflow_environment().items()
    assert found["AIRFLOW__CORE__DAGS_FOLDER"].endswith("check out/dags")


def test_the_scheduler_has_a_database_of_its_own(site: Site, settings: Settings) -> None:
    of_dags_test = settings.paths.airflow.absolute() / "airflow.db"  # scripts/run_dag.py
    assert site.airflow_environment()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] != f"sqlite:///{of_dags_test}"


def test_all_listens_on_this_machine_alone(site: Site) -> None:
    environment = site.airflow_environment()
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:")
