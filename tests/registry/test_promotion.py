"""The alias moves from champion to champion and back; a model is a folder of three tiny files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from recthinker.errors import RegistryError
from recthinker.registry import DECISION_FILE, ModelVersion, Registry
from recthinker.settings import Settings

pytestmark = pytest.mark.slow  # importing MLflow takes seconds


@pytest.fixture
def versions(registry: Registry, make_model: Callable[[str], Path]) -> list[ModelVersion]:
    """Three versions, of which the first serves."""
    made = []
    for name in ("first", "second", "third"):
        with registry.training_run("train") as run:
            made.append(registry.register(make_model(name), run.run_id))
    registry.promote(made[0], over=None)
    return made


def test_promoted_version_serves_and_remembers_whose_place_it_took(
    registry: Registry, versions: list[ModelVersion]
) -> None:
    first, second, _ = versions
    assert registry.champion() == first
    registry.promote(second, over=first)
    assert registry.champion() == second
    tags = MlflowClient(registry.tracking_uri).get_model_version("recthinker", "2").tags
    assert tags["recthinker.previous_champion"] == "1"


def test_rollback_goes_back_one_champion_at_a_time(registry: Registry, versions: list[ModelVersion]) -> None:
    first, second, third = versions
    registry.promote(second, over=first)
    registry.promote(third, over=second)
    assert registry.rollback() == ("recthinker/3", second)
    assert registry.resolve() == second
    assert registry.rollback() == ("recthinker/2", first)
    assert registry.resolve() == first
    tags = MlflowClient(registry.tracking_uri).get_model_version("recthinker", "3").tags
    assert tags["recthinker.rolled_back_to"] == "2"


def test_first_champion_has_nothing_to_go_back_to(registry: Registry, versions: list[ModelVersion]) -> None:
    with pytest.raises(RegistryError, match="recthinker/1 took no other version's place"):
        registry.rollback()
    assert registry.champion() == versions[0]


def test_rollback_without_champion_is_an_error(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="no version of model recthinker has the alias champion"):
        registry.rollback()


def test_rollback_mends_a_champion_whose_files_are_gone(registry: Registry, versions: list[ModelVersion]) -> None:
    first, second, _ = versions
    registry.promote(second, over=first)
    (second.path / "model.safetensors").unlink()
    registry.rollback()
    assert registry.resolve() == first


def test_rollback_to_files_that_are_gone_changes_nothing(registry: Registry, versions: list[ModelVersion]) -> None:
    first, second, _ = versions
    registry.promote(second, over=first)
    (first.path / "model.safetensors").unlink()
    with pytest.raises(RegistryError, match=r"lacks model\.safetensors"):
        registry.rollback()
    assert registry.champion() == second


def test_measured_against_a_champion_of_before_is_not_promoted(
    registry: Registry, versions: list[ModelVersion]
) -> None:
    first, second, third = versions
    registry.promote(second, over=first)
    with pytest.raises(RegistryError, match="measured against recthinker/1, but champion names recthinker/2"):
        registry.promote(third, over=first)
    assert registry.champion() == second


def test_promoting_the_champion_again_changes_nothing(registry: Registry, versions: list[ModelVersion]) -> None:
    first, second, _ = versions
    registry.promote(second, over=first)
    registry.promote(second, over=first)
    assert registry.rollback() == ("recthinker/2", first)


def test_resolved_version_stays_whole_while_another_is_promoted(
    registry: Registry, versions: list[ModelVersion]
) -> None:
    first, second, _ = versions
    resolved = registry.resolve()
    registry.promote(second, over=first)
    assert resolved == first
    assert (resolved.path / "model.safetensors").read_text(encoding="utf-8") == "model.safetensors of first"


def test_version_waits_under_an_alias_of_its_own(registry: Registry, versions: list[ModelVersion]) -> None:
    assert registry.aliased("challenger") is None
    registry.set_alias(versions[1], "challenger")
    assert registry.aliased("challenger") == versions[1]
    assert registry.champion() == versions[0]


def test_a_model_by_path_is_not_rolled_back(
    settings: Settings, versions: list[ModelVersion], make_model: Callable[[str], Path]
) -> None:
    by_path = settings.model_copy(update={"model": settings.model.model_copy(update={"path": make_model("mine")})})
    with pytest.raises(RegistryError, match=r"model\.path names what serves"):
        Registry(by_path).rollback()


def test_decision_is_kept_beside_the_evaluation(registry: Registry, versions: list[ModelVersion]) -> None:
    registry.log_evaluation(versions[1], {"ndcg": 0.5})
    registry.log_evaluation(versions[1], {"is_promoted": False}, DECISION_FILE)
    assert registry.evaluation(versions[1]) == {"ndcg": 0.5}
    assert registry.evaluation(versions[1], DECISION_FILE) == {"is_promoted": False}
