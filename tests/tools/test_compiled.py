"""Compiled loops: they give what the function gives, also where there is no folder to keep machine code in."""

import numpy as np
import pytest

from recthinker.tools.compiled import compiled


def doubled(values: np.ndarray) -> np.ndarray:
    found = np.zeros(len(values))
    for place, value in enumerate(values):
        found[place] = 2 * value
    return found


def test_a_compiled_function_gives_what_the_plain_one_gives() -> None:
    values = np.arange(5.0)
    values.flags.writeable = False  # as mapped files are
    assert compiled(doubled)(values).tolist() == [0, 2, 4, 6, 8]
    assert compiled(doubled).__name__ == "doubled"


@pytest.mark.filterwarnings("error")
def test_without_a_folder_for_machine_code_it_is_compiled_all_the_same() -> None:
    namespace = {"np": np}
    exec("def halved(values):\n    return values / 2", namespace)
    assert compiled(namespace["halved"])(np.array([2.0])).tolist() == [1.0]
