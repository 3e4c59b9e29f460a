from pathlib import Path

from recthinker.training.checkpoints import last_checkpoint


def checkpoint(folder: Path, step: int, state: str | None) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "model.safetensors").write_text("weights", encoding="utf-8")
    if state is not None:
        (made / "trainer_state.json").write_text(state, encoding="utf-8")
    return made


def test_training_goes_on_from_the_newest_checkpoint_by_its_step(tmp_path: Path) -> None:
    newest = checkpoint(tmp_path, 10, "{}")
    checkpoint(tmp_path, 9, "{}")
    assert last_checkpoint(tmp_path) == str(newest)


def test_a_checkpoint_that_was_cut_off_is_none(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path, 2, "{}")
    no_state, half_a_state = checkpoint(tmp_path, 3, None), checkpoint(tmp_path, 4, '{"global_step": ')
    assert last_checkpoint(tmp_path) == str(whole)
    assert not no_state.exists()
    assert not half_a_state.exists()


def test_where_no_checkpoint_is_whole_training_starts_anew(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path / "none") is None
    checkpoint(tmp_path, 1, None)
    assert last_checkpoint(tmp_path) is None
