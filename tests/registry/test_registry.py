"""Model versions and runs in a real MLflow on SQLite; a model is a folder of three tiny files."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.models import Model
from mlflow.tracking import MlflowClient

from recthinker.errors import RegistryError
from recthinker.registry import ModelVersion, Registry, TableRead, require_model
from recthinker.registry.versions import version_of_folder
from recthinker.settings import Settings

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds


def register(registry: Registry, folder: Path, **options: object) -> ModelVersion:
    with registry.training_run("train") as run:
        return registry.register(folder, run.run_id, **options)  # type: ignore[arg-type]  # passed through


def test_champion_without_registry_is_none_and_makes_nothing(settings: Settings) -> None:
    assert Registry(settings).champion() is None
    assert not settings.paths.mlflow.exists()


def test_resolve_without_champion_says_what_to_do(registry: Registry) -> None:
    with pytest.raises(
        RegistryError, match=r"no version of model recthinker has the alias champion.*train_first_model"
    ):
        registry.resolve()


def test_registered_version_serves_under_its_alias(registry: Registry, make_model: Callable[[str], Path]) -> None:
    registered = register(registry, make_model("first"), alias="champion")
    found = registry.resolve()
    assert found == registered
    assert str(found) == "recthinker/1"
    assert (found.path / "config.json").read_text(encoding="utf-8") == "config.json of first"


def test_alias_moves_and_old_version_keeps_its_files(registry: Registry, make_model: Callable[[str], Path]) -> None:
    first = register(registry, make_model("first"), alias="champion")
    second = register(registry, make_model("second"))
    assert registry.resolve() == first
    registry.set_alias(second, "champion")
    assert registry.resolve() == second
    assert (first.path / "model.safetensors").read_text(encoding="utf-8") == "model.safetensors of first"


def test_other_process_sees_the_champion(
    registry: Registry, settings: Settings, make_model: Callable[[str], Path]
) -> None:
    registered = register(registry, make_model("first"), alias="champion")
    assert Registry(settings).champion() == registered


def test_champion_whose_files_are_gone_is_an_error(registry: Registry, make_model: Callable[[str], Path]) -> None:
    version = register(registry, make_model("first"), alias="champion")
    (version.path / "model.safetensors").unlink()
    with pytest.raises(RegistryError, match=r"lacks model\.safetensors"):
        registry.resolve()


def test_model_path_wins_over_registry(
    registry: Registry, settings: Settings, make_model: Callable[[str], Path]
) -> None:
    register(registry, make_model("first"), alias="champion")
    by_path = settings.model_copy(update={"model": settings.model.model_copy(update={"path": make_model("mine")})})
    found = Registry(by_path).resolve()
    assert (found.name, found.path.name) == ("mine", "mine")
    (found.path / "model.safetensors").write_text("other weights", encoding="utf-8")
    assert Registry(by_path).resolve().version != found.version


def test_incomplete_folder_is_not_registered(registry: Registry, make_model: Callable[[str], Path]) -> None:
    folder = make_model("first")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(RegistryError, match=r"lacks tokenizer\.json"):
        register(registry, folder, alias="champion")
    assert registry.champion() is None


def test_weights_in_several_files_are_taken_when_all_are_there(make_model: Callable[[str], Path]) -> None:
    folder = make_model("large")
    (folder / "model.safetensors").unlink()
    parts = ("model-1-of-2.safetensors", "model-2-of-2.safetensors")
    for part in parts:
        (folder / part).write_text(part, encoding="utf-8")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": parts[0], "b": parts[1], "c": parts[1]}}), encoding="utf-8")

    first = version_of_folder(folder).version
    (folder / parts[1]).write_text("other", encoding="utf-8")
    assert version_of_folder(folder).version != first
    (folder / parts[1]).unlink()
    with pytest.raises(RegistryError, match=r"lacks model-2-of-2.safetensors\."):
        require_model(folder)
    index.write_text("[]", encoding="utf-8")
    with pytest.raises(RegistryError, match="is no index of safetensors files"):
        require_model(folder)


def test_pickled_weights_are_refused(make_model: Callable[[str], Path]) -> None:
    folder = make_model("first")
    (folder / "optimizer.pt").write_bytes(b"")
    with pytest.raises(RegistryError, match=r"pickled files \(optimizer\.pt\)"):
        require_model(folder)


def test_evaluation_is_kept_with_its_version(registry: Registry, make_model: Callable[[str], Path]) -> None:
    first = register(registry, make_model("first"), evaluation={"ndcg@10": 0.5})
    second = register(registry, make_model("second"))
    assert registry.evaluation(first) == {"ndcg@10": 0.5}
    assert registry.evaluation(second) is None
    registry.log_evaluation(second, {"ndcg@10": 0.6})
    registry.log_evaluation(second, {"ndcg@10": 0.7})
    assert registry.evaluation(second) == {"ndcg@10": 0.7}


def test_version_tells_what_it_takes_and_gives_and_stays_a_model_folder(
    registry: Registry, make_model: Callable[[str], Path]
) -> None:
    folder = make_model("first")
    (folder / "config.json").write_text('{"vocab_size": 4096, "architectures": ["LlamaForCausalLM"]}', encoding="utf-8")
    version = register(registry, folder, card="# A card\n\nOf a model.\n\n## More")
    described = Model.load(str(version.path / "MLmodel"))
    assert described.signature is not None
    assert described.signature.inputs.to_dict() == [
        {"name": "token_ids", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": (-1, -1)}}
    ]
    assert described.signature.outputs.to_dict() == [
        {"name": "next_token_logprobs", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": (-1, 4096)}}
    ]
    assert described.flavors == {"recthinker": {"served_by": "vLLM", "architectures": ["LlamaForCausalLM"]}}
    assert described.model_id == registry.logged_model(version)
    assert (version.path / "README.md").read_text(encoding="utf-8").endswith("\n## More")
    assert require_model(version.path) == version.path
    client = MlflowClient(registry.tracking_uri)
    assert client.get_model_version("recthinker", "1").description == "# A card\n\nOf a model."


def test_card_is_written_again_with_what_came_since(registry: Registry, make_model: Callable[[str], Path]) -> None:
    version = register(registry, make_model("first"), card="# A card")
    registry.log_text(version, "# A card with figures", "README.md")
    assert (version.path / "README.md").read_text(encoding="utf-8") == "# A card with figures"


def test_model_under_a_key_is_registered_once(registry: Registry, make_model: Callable[[str], Path]) -> None:
    first = register(registry, make_model("first"), key="retraining-1", alias="challenger")
    assert register(registry, make_model("second"), key="retraining-1") == first
    assert register(registry, make_model("third"), key="retraining-2") != first
    assert (registry.aliased("challenger"), registry.aliased("other")) == (first, None)


def test_registration_that_was_killed_leaves_nothing_that_counts(
    registry: Registry, make_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    for step in ("log_model_artifacts", "finalize_logged_model", "create_model_version"):
        with monkeypatch.context() as cut_off:
            cut_off.setattr(MlflowClient, step, killed)
            with pytest.raises(KeyboardInterrupt):
                register(registry, make_model(step), key="retraining-1", alias="challenger")
    with monkeypatch.context() as cut_off:
        cut_off.setattr(MlflowClient, "set_registered_model_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            register(registry, make_model("first"), key="retraining-1", alias="challenger")
    assert registry.aliased("challenger") is None
    version = register(registry, make_model("again"), key="retraining-1", alias="challenger")
    assert (str(version), registry.aliased("challenger")) == ("recthinker/1", version)
    client = MlflowClient(registry.tracking_uri)
    experiment = client.get_experiment_by_name("recthinker")
    assert experiment
    [kept] = client.search_logged_models([experiment.experiment_id])
    assert kept.model_id == registry.logged_model(version)


def test_version_by_its_number(registry: Registry, make_model: Callable[[str], Path]) -> None:
    first = register(registry, make_model("first"), alias="champion")
    register(registry, make_model("second"), alias="champion")
    assert registry.numbered("1") == first
    with pytest.raises(RegistryError, match="has no version 7 of model recthinker"):
        registry.numbered("7")


def test_run_keeps_what_was_logged(registry: Registry, make_model: Callable[[str], Path]) -> None:
    with registry.training_run("train", {"kind": "sft"}) as run:
        run.log_params({"training": {"seed": 7}})
        run.log_metrics({"loss": 2.0}, step=0)
        run.log_metrics({"loss": 1.0}, step=1)
        run.log_table_versions({"interactions": 3})
        run.log_artifacts(make_model("first"), "model")
        registry.register(make_model("second"), run.run_id, metrics={"ndcg": 0.5}, tags={"gate": "first"})
    client = MlflowClient(registry.tracking_uri)
    logged = client.get_run(run.run_id)
    assert logged.info.status == "FINISHED"
    assert logged.data.tags["kind"] == "sft"
    assert logged.data.params == {"training.seed": "7"}
    assert [point.value for point in client.get_metric_history(run.run_id, "loss")] == [2.0, 1.0]
    assert logged.data.metrics["ndcg"] == 0.5
    assert logged.inputs is not None
    tables = [(entry.dataset.name, entry.dataset.digest) for entry in logged.inputs.dataset_inputs]
    assert tables == [("interactions", "v3")]
    assert len(client.list_artifacts(run.run_id, "model")) == 3
    assert client.get_model_version("recthinker", "1").tags["gate"] == "first"


def test_run_whose_body_raises_is_failed(registry: Registry) -> None:
    with pytest.raises(ZeroDivisionError), registry.training_run("train") as run:
        raise ZeroDivisionError
    assert MlflowClient(registry.tracking_uri).get_run(run.run_id).info.status == "FAILED"


def test_table_reads_are_those_of_registered_models_and_of_runs_that_go_on(
    registry: Registry, make_model: Callable[[str], Path]
) -> None:
    with registry.training_run("train", {"ds": "2024-03-01"}) as run:
        run.log_table_versions({"interactions": 3, "user_history": 7}, cut="holdout_last_11")
        registry.register(make_model("first"), run.run_id)
    with registry.training_run("train", {"ds": "2024-03-02"}) as run:
        run.log_table_versions({"user_history": 7}, cut="holdout_last_1")
        registry.register(make_model("second"), run.run_id)
    with registry.training_run("unused") as run:
        run.log_table_versions({"items": 1})
    with registry.training_run("now") as run:
        run.log_table_versions({"users": 2})
        reads = registry.table_reads()
    assert {replace(read, going_on_at=None) for read in reads} == {
        TableRead("interactions", 3, "2024-03-01", None, "model recthinker/1"),
        TableRead("user_history", 7, "2024-03-01", "holdout_last_11", "model recthinker/1"),
        TableRead("user_history", 7, "2024-03-02", "holdout_last_1", "model recthinker/2"),
        TableRead("users", 2, None, None, "training run now"),
    }
    assert [read.by for read in reads if read.going_on_at] == ["training run now"]


def test_table_reads_without_registry_are_none(settings: Settings) -> None:
    assert Registry(settings).table_reads() == []
    assert not settings.paths.mlflow.exists()
