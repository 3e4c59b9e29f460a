"""Fingerprints change with content, name and options, and with nothing else."""

from pathlib import Path

from recthinker.sources.inputs import Input, file_input, fingerprint


def test_fingerprint_follows_content_names_and_options(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("a")
    two.write_text("b")

    def mark(*paths: Path, layout: str = "csv") -> str:
        return fingerprint([file_input("items", path) for path in paths], {"layout": layout})

    before = mark(one, two)
    assert mark(two, one) == before
    assert mark(one, two, layout="dat") != before
    two.write_text("c")
    assert mark(one, two) != before
    two.write_text("b")
    assert mark(one, two) == before
    assert mark(one, two.rename(tmp_path / "three.csv")) != before


def test_fingerprint_of_a_delta_table_is_its_id_and_version_wherever_it_lies(tmp_path: Path) -> None:
    def mark(path: str, table_id: str, version: int) -> str:
        return fingerprint([Input("items", tmp_path / path, 10, table_id=table_id, version=version)], {})

    assert mark("here", "a", 1) == mark("there", "a", 1)
    assert len({mark("here", "a", 1), mark("here", "a", 2), mark("here", "b", 1)}) == 3


def test_file_input_tells_size_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("abc")
    given = file_input("items", path)
    # The first test vector of FIPS 180-2.
    assert given.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (given.table, given.path, given.size, given.version) == ("items", path, 3, None)
