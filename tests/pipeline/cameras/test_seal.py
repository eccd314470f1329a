"""Links in the topic are encrypted."""

import pytest

from pipeline.cameras.seal import Seal, SealError, is_sealed, new_key

LINK = "rtsp://user:hunter22@host/stream"


def test_without_a_key_links_stay_as_they_are() -> None:
    assert Seal().close(LINK) == LINK
    assert Seal().open(LINK) == LINK


def test_a_key_encrypts() -> None:
    seal = Seal([new_key()])

    text = seal.close(LINK)

    assert is_sealed(text)
    assert "hunter22" not in text
    assert seal.open(text) == LINK
    assert seal.close(text) == text


def test_an_old_key_still_opens() -> None:
    old, new = new_key(), new_key()
    text = Seal([old]).close(LINK)

    assert Seal([new, old]).open(text) == LINK


@pytest.mark.parametrize(("keys", "why"), [([], "set CAMERASKEY"), ([new_key()], "does not decrypt")])
def test_a_lost_key_is_reported(keys: list[str], why: str) -> None:
    text = Seal([new_key()]).close(LINK)

    with pytest.raises(SealError, match=why):
        Seal(keys).open(text)


@pytest.mark.parametrize("key", ["", "short", "ä" * 44, "x" * 44])
def test_a_text_that_is_not_a_key_is_refused(key: str) -> None:
    with pytest.raises(SealError, match="expected Fernet keys"):
        Seal([key])
