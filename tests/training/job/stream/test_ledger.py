import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.job.stream.ledger import Ledger, parsed

COUNTS = st.dictionaries(st.sampled_from(["value", "label", "deleted"]), st.integers(0, 1000))


@given(st.lists(st.tuples(st.integers(0, 1000), COUNTS)))
def test_what_was_read_is_used_or_dropped(taken: list[tuple[int, dict[str, int]]]) -> None:
    ledger = Ledger()
    for used, dropped in taken:
        ledger = ledger.added(used, dropped)

    assert ledger.read == ledger.used + sum(ledger.dropped.values())
    assert ledger.read == sum(used + sum(dropped.values()) for used, dropped in taken)
    assert parsed(ledger.fields()) == ledger


def test_samples_that_the_model_refuses_are_dropped_after_all() -> None:
    ledger = Ledger().added(10, {"value": 2}).refused(3, "label")

    assert ledger.fields() == {"read": 12, "used": 7, "dropped": {"label": 3, "value": 2}}


def test_a_ledger_that_does_not_add_up_is_not_used() -> None:
    with pytest.raises(ValueError, match="expected 12"):
        parsed({"read": 13, "used": 10, "dropped": {"value": 2}})
