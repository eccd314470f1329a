"""Version labels move only to versions that are available."""

from pathlib import Path

import pytest

from tfserving.server.errors import Code, ServingError
from tfserving.server.models.config import ModelConfig
from tfserving.server.models.labels import Labels, assign
from tfserving.server.models.policy import Policy


def models(**labels: int) -> list[ModelConfig]:
    return [ModelConfig("toy", Path("/toy"), Policy(), labels, "tensorflow")]


def is_available(_: str, version: int) -> bool:
    return version in {1, 2}


@pytest.mark.parametrize("current", [{}, {"toy": {"stable": 1}}, {"toy": {"old": 1}}])
def test_labels_of_available_versions_replace_the_current_ones(current: Labels) -> None:
    assert assign(models(stable=2, canary=1), current, is_available) == {"toy": {"stable": 2, "canary": 1}}


def test_a_label_of_a_version_that_is_not_available_is_refused() -> None:
    with pytest.raises(ServingError, match="version 3 of model toy") as caught:
        assign(models(stable=3), {}, is_available)

    assert caught.value.code == Code.FAILED_PRECONDITION


def test_a_new_label_may_be_allowed_to_come_before_its_version() -> None:
    assert assign(models(stable=3), {}, is_available, allow_unavailable=True) == {"toy": {"stable": 3}}


def test_a_label_that_moves_may_not() -> None:
    with pytest.raises(ServingError):
        assign(models(stable=3), {"toy": {"stable": 2}}, is_available, allow_unavailable=True)


@pytest.mark.parametrize(
    ("policy", "chosen", "missing"),
    [
        (Policy(), {3}, []),
        (Policy(count=2), {2, 3}, []),
        (Policy(count=None), {1, 2, 3}, []),
        (Policy(count=None, only=frozenset({1, 3, 9, 8})), {1, 3}, [8, 9]),
    ],
)
def test_a_policy_chooses_versions(policy: Policy, chosen: set[int], missing: list[int]) -> None:
    assert policy.choose([1, 3, 2]) == chosen
    assert policy.missing([1, 3, 2]) == missing
