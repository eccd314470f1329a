import pytest

from pipeline.kafka.offenders import Offenders


def after(count: int, key: bytes = b"evil") -> Offenders:
    offenders = Offenders()
    for _ in range(count):
        offenders.add(key, "bad_jpeg", 100.0)
    return offenders


def test_a_message_is_examined_unless_many_with_its_key_were_bad() -> None:
    assert after(19).kind(b"evil", 100.01) is None
    assert after(20).kind(b"evil", 100.01) == "bad_jpeg"
    assert after(20).kind(b"other", 100.01) is None


def test_one_is_examined_every_50_ms() -> None:
    offenders = after(20)

    assert offenders.kind(b"evil", 100.04) == "bad_jpeg"
    assert offenders.kind(b"evil", 100.06) is None
    offenders.add(b"evil", "bad_mat", 100.06)
    assert offenders.kind(b"evil", 100.10) == "bad_mat"


def test_a_frame_clears_its_key() -> None:
    offenders = after(20)

    offenders.clear(b"evil")
    offenders.clear(b"other")

    assert offenders.kind(b"evil", 100.01) is None


@pytest.mark.exceeds("pipeline.kafka.offenders._MOST_KEYS")
def test_the_keys_that_came_first_are_forgotten() -> None:
    offenders = after(20)
    for number in range(1000):
        offenders.add(b"%d" % number, "bad_jpeg", 100.0)

    assert offenders.kind(b"evil", 100.01) is None
