"""Settings of all services, checked together before anything is started."""

import os
from pathlib import Path

import pytest

from compose import settings
from compose.cameras import Camera
from compose.errors import OptionsError
from compose.options import Options
from compose.parts import table


def check(users: str = "") -> None:
    """Check the settings of two producers, a consumer, a video server and a training service."""
    cameras = (Camera("door", "0"), Camera("yard", "1"))
    options = Options(cameras, 30163, "", "", True, None, users, 2, training_port=30164)
    settings.check(table(options, iter(range(41_000, 41_010))))


def complaints(users: str = "") -> list[str]:
    """Return the lines about what is wrong."""
    with pytest.raises(OptionsError) as caught:
        check(users)
    return str(caught.value).splitlines()


def test_nothing_is_wrong_by_default_and_the_environment_stays_as_it_is() -> None:
    before = dict(os.environ)

    check()

    assert dict(os.environ) == before


def test_all_that_is_wrong_in_any_service_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"OPENTIMEOUT": "soon", "MAXBATCH": "0", "STALEAFTER": "never", "LOGLEVEL": "loud"}
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    lines = complaints()

    assert sorted(line.partition(": ")[0] for line in lines) == sorted(f"{n}={v!r}" for n, v in wrong.items())
    assert os.environ["LOGLEVEL"] == "loud"


def test_a_setting_that_services_describe_differently_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPEGQUALITY", "101")

    (line,) = complaints()

    assert line.startswith("JPEGQUALITY='101': expected")


def test_keys_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cameras.key").write_text("no key\n")
    monkeypatch.setenv("CAMERASKEYFILE", str(tmp_path / "cameras.key"))

    (line,) = complaints()

    assert line.startswith(f"CAMERASKEYFILE='{tmp_path}/cameras.key': expected Fernet keys")


def test_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.json").write_text("[]")
    monkeypatch.setenv("TLSCERT", "/nowhere/cert.pem")
    monkeypatch.setenv("TLSKEY", "/nowhere/key.pem")

    users, tls = complaints(str(tmp_path / "users.json"))

    assert str(tmp_path / "users.json") in users
    assert tls == "TLSCERT='/nowhere/cert.pem': cannot be read: No such file or directory"


def test_settings_of_the_training_service_are_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXRUNS", "0")
    # Its page is not the one that is published at this path.
    monkeypatch.setenv("ROOTPATH", "/models")

    (line,) = complaints()

    assert line.startswith("MAXRUNS='0': expected")
