"""The wheel carries everything that the code reads at run time."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("conf", "dags", "jobs", "recthinker", "sql", "LICENSE", "pyproject.toml", "setup.cfg")


@pytest.mark.slow
def test_wheel_holds_settings_sql_templates_and_all_modules(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, source],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    held = {name.split(".data/data/share/recthinker/")[-1] for name in zipfile.ZipFile(wheel).namelist()}
    folders = [source / name for name in ("conf", "sql", "recthinker", "jobs", "dags")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    wanted = {str(path.relative_to(source)) for path in files if path.suffix}
    assert wanted - held == set()
    assert any(name.startswith("recthinker/report/templates/") for name in held)
