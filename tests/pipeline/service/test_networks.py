"""What clients are counted by."""

import pytest

from pipeline.service.networks import network_of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("x" * 64 + "1", "x" * 64 + "2", True),
    ],
)
def test_a_client_counts_by_what_it_cannot_change(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same
