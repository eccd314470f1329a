"""All that can be deployed, one after the other."""

import pytest

from tests.k8s.manifests import SYSTEMS, Documents, system


@pytest.fixture(params=SYSTEMS)
def documents(request: pytest.FixtureRequest) -> Documents:
    """All documents of the base, then those of each overlay."""
    return system(request.param)
