"""Links in the topic are encrypted."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.cameras.seal import Seal, SealError, is_sealed, new_key
from pipeline.cameras.settings import CamerasSettings
from pipeline.service.settings import SettingsError

LINK = "rtsp://user:hunter22@host/stream"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


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


def test_a_lost_key_is_reported_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "cameras.key"
    file.write_text(f"{new_key()}\n{new_key()}\n")

    with pytest.raises(SealError, match=f"does not decrypt with CAMERASKEYFILE='{file}': add the key"):
        CamerasSettings(cameraskeyfile=file).seal().open(Seal([new_key()]).close(LINK))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "expected a Fernet key, found none: python -m producer.cameras key prints one"),
        (b" \n,\n", "expected a Fernet key, found none"),
        (b"\x00\xff\xfe", "cannot be read: it is not a text in ASCII: expected a file with Fernet keys"),
        (f"{KEY}\n{KEY[:30]}\n".encode(), "key 2 of 2, with 30 characters, is not one"),
        (None, "cannot be read: No such file or directory: expected a file with Fernet keys, one per line"),
    ],
)
def test_a_damaged_file_of_keys_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "cameras.key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        CamerasSettings(cameraskeyfile=file).seal()

    assert str(caught.value).startswith(f"CAMERASKEYFILE='{file}': ")
    assert why in str(caught.value)


def test_a_folder_is_not_a_file_of_keys(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory: expected a file"):
        CamerasSettings(cameraskeyfile=tmp_path).seal()


def test_a_setting_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^CAMERASKEY: expected a Fernet key, found none"):
        CamerasSettings(cameraskey=SecretStr(" , ")).seal()


@pytest.mark.parametrize("key", ["", "short", "ä" * 44, "x" * 44])
def test_a_text_that_is_not_a_key_is_refused(key: str) -> None:
    with pytest.raises(SealError, match="expected Fernet keys"):
        Seal([key])
