from pathlib import Path

import pytest

from recthinker.errors import TableContractError
from recthinker.lookup.cut import version_cut


def test_a_cut_that_does_not_tell_what_it_was_taken_of_is_to_be_built_again(tmp_path: Path) -> None:
    with pytest.raises(TableContractError, match="build the cut again"):
        version_cut(tmp_path, "2024-03-10")
