"""What all sections share, and where the files that ship with the package lie."""

import sysconfig
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of settings: frozen, unknown keys refused; each field carries its doc as its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def resource_dir(name: str) -> Path:
    """The folder `conf` or `sql`: beside the package in a checkout, under share/recthinker in an installed wheel."""
    checkout = Path(__file__).resolve().parents[2] / name
    return checkout if checkout.is_dir() else Path(sysconfig.get_path("data")) / "share" / "recthinker" / name
