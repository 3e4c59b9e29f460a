"""Which settings of a retraining are not the defaults. No reading, no drawing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting of the run that is not the default."""

    key: str
    """As `section.key`."""
    value: str
    default: str


def changed_settings(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[Changed, ...]:
    """The settings of a run that are not the defaults, by key.

    Args:
        settings: sections of the run, as JSON.
        defaults: all sections, as JSON.
    """
    usual = dict(_flat(defaults))
    return tuple(
        Changed(key, _written(value), _written(usual.get(key, "no such setting")))
        for key, value in sorted(_flat(settings))
        if key not in usual or usual[key] != value
    )


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _written(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
