"""Feature settings of the tests."""

import pytest

from recthinker.settings import FeatureSettings, load_settings


@pytest.fixture(scope="session")
def features() -> FeatureSettings:
    return load_settings("test", environ={}).features
