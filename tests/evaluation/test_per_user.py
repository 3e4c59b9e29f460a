from pathlib import Path

import numpy as np

from recthinker.evaluation import Segment, UserFigures


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = UserFigures(
        users=("u", "v"),
        targets=("i", "j"),
        requests="abc",
        chance=0.25,
        ndcg=np.array([0.5, 1.0]),
        blind_ndcg=np.array([0.1, 0.2]),
        popularity_ndcg=np.array([0.3, 0.4]),
        ranked=np.array([1.0, 0.5]),
        calls=np.array([2.0, 0.0]),
        order_correlation=np.array([-0.5, 0.5]),
        seconds_per_user=0.01,
        segments=(Segment("rare targets", "some rule", np.array([True, False])),),
    )
    path = tmp_path / "evaluation" / "m-1.parquet"
    written.write(path)
    read = UserFigures.read(path)
    assert (read.users, read.targets) == (("u", "v"), ("i", "j"))
    assert (read.requests, read.chance, read.seconds_per_user) == ("abc", 0.25, 0.01)
    assert read.ndcg.tolist() == [0.5, 1.0]
    assert read.blind_ndcg.tolist() == [0.1, 0.2]
    assert read.popularity_ndcg.tolist() == [0.3, 0.4]
    assert read.ranked.tolist() == [1.0, 0.5]
    assert read.calls.tolist() == [2.0, 0.0]
    assert read.order_correlation.tolist() == [-0.5, 0.5]
    (part,) = read.segments
    assert (part.name, part.rule, part.members.tolist()) == ("rare targets", "some rule", [True, False])
