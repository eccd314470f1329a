"""Fixtures for each set of manifests that can be deployed."""

import pytest

from tests.k8s.manifests import SYSTEMS, Documents, system


@pytest.fixture(params=SYSTEMS)
def documents(request: pytest.FixtureRequest) -> Documents:
    """The documents of the base and of each overlay in turn."""
    return system(request.param)
