from pathlib import Path

import pytest

from recthinker.errors import TrainingError
from recthinker.evaluation import target_hashes
from recthinker.settings import Settings
from recthinker.training.training_requests import TrainingRequests, stage_seed, training_requests
from tests import little_world as world
from tests.inference import small_trial

TAKEN = {"ann": ["i3", "i4"], "bob": ["i5", "i6"], "cat": ["i1"]}
"""Position 1 first; it belongs to evaluation."""


def drawn(settings: Settings, folder: Path, *, count: int = 8, seed: int = 1) -> TrainingRequests:
    sections = {
        "training": settings.training.model_copy(update={"holdout_last": 2, "hard_share": 0}),
        "candidates": settings.candidates.model_copy(update={"max_items": 3}),
    }
    return training_requests(
        small_trial.cut(TAKEN),
        world.features(),
        settings.model_copy(update=sections),
        ds=world.DS,
        folder=folder / "snapshot",
        count=count,
        seed=seed,
    )


def told(asked: TrainingRequests) -> list[tuple[str, tuple[str, ...]]]:
    item = asked.snapshot.items.item_id
    return [(row.key, tuple(item(int(code)) for code in row.candidates)) for row in asked.rows]


def test_targets_are_older_than_the_newest_event_and_stand_among_the_candidates(
    settings: Settings, tmp_path: Path
) -> None:
    asked = drawn(settings, tmp_path)
    chosen = {(row.user_id, asked.snapshot.items.item_id(asked.targets[row.key])) for row in asked.rows}
    assert chosen == {("ann", "i4"), ("bob", "i6")}
    assert all(len(row.candidates) == 3 and asked.targets[row.key] in row.candidates for row in asked.rows)
    assert list(asked.hashes) == list(target_hashes(["ann", "bob"], ["i4", "i6"]))


def test_as_many_are_drawn_as_asked_each_with_a_key_of_its_own(settings: Settings, tmp_path: Path) -> None:
    asked = drawn(settings, tmp_path, count=7)
    assert len(asked.rows) == len({row.key for row in asked.rows}) == len(asked.targets) == 7


def test_a_seed_draws_the_same_requests_again_and_another_others(settings: Settings, tmp_path: Path) -> None:
    one, again, other = (told(drawn(settings, tmp_path, seed=seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_stages_have_seeds_of_their_own() -> None:
    seeds = [stage_seed(7, "base"), stage_seed(7, "collect"), stage_seed(8, "base")]
    assert len(set(seeds)) == 3
    assert seeds[0] == stage_seed(7, "base")


def test_a_cut_without_targets_says_which_positions_it_looked_at(settings: Settings, tmp_path: Path) -> None:
    training = settings.training.model_copy(update={"holdout_last": 5})
    with pytest.raises(TrainingError, match="positions 2 to 5"):
        training_requests(
            small_trial.cut({"ann": ["i3"]}),
            world.features(),
            settings.model_copy(update={"training": training}),
            ds=world.DS,
            folder=tmp_path / "s",
            count=1,
            seed=1,
        )
