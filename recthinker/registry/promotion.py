"""Which version serves: one alias, moved in one transaction, and a tag that remembers who served before.

The tag is written before the alias moves: whoever is killed in between leaves the old champion serving, and a tag that
nobody reads. A night resolves the alias once, when it is planned, and keeps its version to the end.
"""

import logging
from typing import TYPE_CHECKING

from recthinker.errors import RegistryError
from recthinker.registry.versions import ModelVersion

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

PREVIOUS_TAG = "recthinker.previous_champion"
"""Tag of a version that serves or served: the number of the one that it took the place of."""
ROLLED_BACK_TAG = "recthinker.rolled_back_to"
"""Tag of a version that was taken back: the number of the one that serves instead."""


def promote(
    client: "MlflowClient",
    alias: str,
    version: ModelVersion,
    *,
    over: ModelVersion | None,
    now: ModelVersion | None,
) -> None:
    """Let `alias` name `version`, which remembers the champion that it takes the place of.

    Args:
        over: the champion that it was measured against.
        now: the champion of now.

    Raises:
        RegistryError: another version became champion since; nothing is changed.
    """
    if now == version:
        return
    if now != over:
        raise RegistryError(
            f"{version} was measured against {over or 'no champion'}, but {alias} names {now or 'no version'} by now; "
            "evaluate it against that one"
        )
    if over is not None:
        client.set_model_version_tag(version.name, version.version, PREVIOUS_TAG, over.version)
    client.set_registered_model_alias(version.name, alias, version.version)
    logger.info("promoted model=%s alias=%s previous=%s", version, alias, over)


def previous_of(champion: "MlflowVersion") -> str:
    """The number of the version that `champion` took the place of.

    Raises:
        RegistryError: it took nobody's.
    """
    number = champion.tags.get(PREVIOUS_TAG)
    if number is None:
        raise RegistryError(
            f"model {champion.name}/{champion.version} took no other version's place, so there is none to go back to; "
            "register one under the alias, or set model.path"
        )
    return str(number)


def move_back(client: "MlflowClient", alias: str, champion: "MlflowVersion", previous: ModelVersion) -> None:
    """Let `alias` name `previous` again, and say so at `champion`."""
    client.set_model_version_tag(champion.name, champion.version, ROLLED_BACK_TAG, previous.version)
    client.set_registered_model_alias(previous.name, alias, previous.version)
    logger.info("rolled back model=%s/%s alias=%s to=%s", champion.name, champion.version, alias, previous)
