"""Reading when a certificate expires."""

import ssl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.http.expiry import expiry
from tests.video.fakes import PROPERTY


def element(kind: int, content: bytes) -> bytes:
    """Return an element in DER."""
    length = len(content)
    head = bytes([length]) if length < 128 else bytes([0x82]) + length.to_bytes(2)
    return bytes([kind]) + head + content


def certificate(*, after: bytes, kind: int = 0x17, version: bytes = b"\xa0\x03\x02\x01\x02") -> bytes:
    """Return as much of a certificate as is read, in PEM."""
    validity = element(0x30, element(0x17, b"260101000000Z") + element(kind, after))
    parts = version + element(0x02, b"\x01") + element(0x30, b"") + element(0x30, bytes(300)) + validity
    der = element(0x30, element(0x30, parts + element(0x30, b"name")) + element(0x30, b""))
    return ssl.DER_cert_to_PEM_cert(der).encode()


def test_both_forms_of_time_are_read() -> None:
    assert expiry(certificate(after=b"270102030405Z")) == 1_798_859_045
    assert expiry(certificate(after=b"20570102030405Z", kind=0x18)) == 2_745_630_245
    assert expiry(certificate(after=b"270102030405Z", version=b"")) == 1_798_859_045


@pytest.mark.parametrize("of_the_next", [b"260102030405Z", b"280102030405Z", b"nonsense"])
def test_only_the_servers_own_certificate_counts_in_a_chain(of_the_next: bytes) -> None:
    chain = b"text\n" + certificate(after=b"270102030405Z") + certificate(after=of_the_next)

    assert expiry(chain) == 1_798_859_045


@PROPERTY
@given(st.binary())
@example(b"")
@example(b"\x30\x82")
@example(b"\x30\x80")
@example(b"\x30\xff")
def test_anything_else_is_a_value_error(der: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 # of several kinds
        expiry(ssl.DER_cert_to_PEM_cert(der).encode())
    with pytest.raises(ValueError):  # noqa: PT011
        expiry(der)
