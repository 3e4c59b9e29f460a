"""Candidate settings of the tests."""

import pytest

from recthinker.settings import CandidateSettings, load_settings


@pytest.fixture(scope="session")
def candidate_settings() -> CandidateSettings:
    return load_settings("test", environ={}).candidates
