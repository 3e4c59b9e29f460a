from pathlib import Path

import pytest

from tests.agent.sample_episode import compact_sample, hermes_sample

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.mark.parametrize("sample", [hermes_sample, compact_sample])
def test_the_page_shows_an_episode_as_it_is_written(sample: object, tmp_path: Path) -> None:
    assert f"```\n{sample(tmp_path / 's')}\n```" in PAGE.read_text(encoding="utf-8")  # type: ignore[operator]
