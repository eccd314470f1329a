"""Which requests come from this machine."""

import pytest

from pipeline.access.local import is_local
from pipeline.access.origin import Headers

HERE = (b"host", b"127.0.0.1:30163")


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", [b"localhost:30163", b"127.0.0.1", b"[::1]:30163", b"cams.localhost"])
def test_a_program_on_this_machine_is(peer: str, host: bytes) -> None:
    assert is_local(peer, [(b"host", host)], is_proxy=False)


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("192.168.1.7", [HERE]),
        ("172.17.0.1", [HERE]),
        ("fe80::1", [HERE]),
        ("::ffff:192.168.1.7", [HERE]),
        ("", [HERE]),
        ("nonsense", [HERE]),
        ("127.0.0.1", [(b"host", b"cams.example")]),
        ("127.0.0.1", [(b"host", b"192.168.1.5:30163")]),
        ("127.0.0.1", [(b"host", b"localhost.evil.example")]),
        ("127.0.0.1", [HERE, (b"host", b"evil.example")]),
        ("127.0.0.1", [HERE, (b"x-forwarded-for", b"127.0.0.1")]),
        ("127.0.0.1", [HERE, (b"forwarded", b"for=192.0.2.1")]),
        ("127.0.0.1", [HERE, (b"x-real-ip", b"192.0.2.1")]),
        ("127.0.0.1", [HERE, (b"via", b"1.1 proxy")]),
    ],
)
def test_others_are_not(peer: str, headers: Headers) -> None:
    assert not is_local(peer, headers, is_proxy=False)


@pytest.mark.parametrize(
    ("forwarded", "local"),
    [
        ([b"127.0.0.1"], True),
        ([b"::1"], True),
        ([b"127.0.0.1, ::1"], True),
        ([b"192.0.2.1"], False),
        ([b"127.0.0.1, 192.0.2.1"], False),
        ([b"192.0.2.1, 127.0.0.1"], False),
        ([b"127.0.0.1", b"192.0.2.1"], False),
        ([b""], False),
        ([b"localhost"], False),
        ([], False),
    ],
)
def test_a_trusted_proxy_has_to_say_so_of_every_client(forwarded: list[bytes], local: bool) -> None:
    headers = [(b"host", b"cams.example"), *((b"x-forwarded-for", value) for value in forwarded)]

    assert is_local("127.0.0.1", headers, is_proxy=True) == local
