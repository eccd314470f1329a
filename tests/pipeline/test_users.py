"""The command that makes and changes the users file."""

import io
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import users
from pipeline.access.password import verify
from pipeline.access.token import digest
from pipeline.access.users_file import UsersFile, read

Run = Callable[..., int]


class Terminal(io.StringIO):
    """Standard input where somebody types."""

    def isatty(self) -> bool:
        """Tell that it is a terminal."""
        return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the users file is, or will be."""
    return tmp_path / "users.json"


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with what is typed, and return its exit status."""
    monkeypatch.setenv("USERS", f'"{path}"\n')

    def run(*arguments: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return users.main(arguments)

    return run


@pytest.fixture
def ann(run: Run) -> None:
    """A file with the user ann."""
    assert run("add", "ann", "--camera", "door", "--camera", "yard-*", typed="correct horse\n") == 0


def of(path: Path) -> UsersFile:
    return read(path)


def test_the_first_user_makes_the_file(run: Run, path: Path) -> None:
    assert run("add", "bob", typed="correct horse\r\n") == 0

    bob = of(path).users["bob"]
    assert bob.cameras == ["*"]
    assert verify(bob.password, "correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.usefixtures("ann")
def test_a_further_user_leaves_the_others_and_the_secret(run: Run, path: Path) -> None:
    before = of(path)

    assert run("add", "bob", typed="correct horse") == 0

    assert of(path).secret == before.secret
    assert of(path).users["ann"] == before.users["ann"]


@pytest.mark.usefixtures("ann")
def test_a_new_password_leaves_the_tokens_and_says_so(
    run: Run, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("password", "ann", typed="battery staple\n") == 0
    assert capsys.readouterr().err == ""
    run("token", "ann", "vlc")

    assert run("password", "ann", typed="battery staple 2\n") == 0

    assert "vlc" in capsys.readouterr().err
    assert list(of(path).users["ann"].tokens) == ["vlc"]


@pytest.mark.usefixtures("ann")
def test_password_and_cameras_change(run: Run, path: Path) -> None:
    assert run("password", "ann", typed="battery staple\n") == 0
    assert run("cameras", "ann", "office", "*") == 0

    ann = of(path).users["ann"]
    assert verify(ann.password, "battery staple")
    assert ann.cameras == ["office", "*"]


@pytest.mark.usefixtures("ann")
def test_a_token_is_printed_once_and_kept_as_a_hash(
    run: Run, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("token", "ann", "vlc") == 0

    printed = capsys.readouterr().out
    assert of(path).users["ann"].tokens == {"vlc": digest(printed.strip())}
    assert run("revoke", "ann", "vlc") == 0
    assert of(path).users["ann"].tokens == {}


@pytest.mark.usefixtures("ann")
def test_users_are_listed_and_removed(run: Run, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("add", "Bob", typed="correct horse")
    run("token", "ann", "vlc")
    capsys.readouterr()

    assert run("list") == 0
    assert capsys.readouterr().out == "Bob\t*\tviewer\t\nann\tdoor, yard-*\tviewer\tvlc\n"

    assert run("remove", "ann") == 0
    assert list(of(path).users) == ["Bob"]


def test_the_file_can_be_named_before_or_after_the_command(run: Run, path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"

    assert run("add", "ann", "--file", str(elsewhere), typed="correct horse") == 0
    assert run("--file", str(elsewhere), "add", "bob", typed="correct horse") == 0

    assert sorted(of(elsewhere).users) == ["ann", "bob"]
    assert not path.exists()


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (["add", "ann"], "correct horse", "already a user 'ann'"),
        (["add", "bob"], "1234567\n", "at least 8 characters"),
        (["add", "bob"], "", "at least 8 characters"),
        (["add", "a:b"], "correct horse", "'a:b' is not valid as a user's name"),
        (["add", ""], "correct horse", "'' is not valid as a user's name"),
        (["add", "bob", "--camera", ""], "correct horse", "'' is not valid as a camera's pattern"),
        (["cameras", "ann", "\udcff"], "", "is not valid as a camera's pattern"),
        (["password", "bob"], "correct horse", "there is no user 'bob'"),
        (["cameras", "bob", "*"], "", "there is no user 'bob'"),
        (["token", "bob", "vlc"], "", "there is no user 'bob'"),
        (["token", "ann", " "], "", "' ' is not valid as a token's label"),
        (["revoke", "ann", "vlc"], "", "'ann' has no token 'vlc'"),
        (["remove", "bob"], "", "there is no user 'bob'"),
    ],
)
def test_errors_take_one_line_and_change_nothing(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], typed: str, words: str
) -> None:
    run("list")
    before = capsys.readouterr().out

    assert run(*arguments, typed=typed) == 2

    printed = capsys.readouterr().err
    assert words in printed
    assert printed.startswith("users: ")
    assert printed.count("\n") == 1
    run("list")
    assert capsys.readouterr().out == before


@pytest.mark.usefixtures("ann")
def test_a_token_of_the_same_label_is_not_replaced(run: Run) -> None:
    assert run("token", "ann", "vlc") == 0

    assert run("token", "ann", "vlc") == 2


def test_a_file_must_be_named_and_be_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list") == 2
    assert run("add", "ann", "--file", str(tmp_path / "none/users.json"), typed="correct horse") == 2
    monkeypatch.setenv("USERS", "")
    assert run("list") == 2

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("users.json: No such file or directory")
    assert lines[1].endswith("users.json: No such file or directory")
    assert "--file FILE" in lines[2]


@pytest.mark.parametrize(("second", "status"), [("correct horse", 0), ("correct hearse", 2)])
def test_on_a_terminal_the_password_is_asked_for_twice_without_an_echo(
    path: Path, monkeypatch: pytest.MonkeyPatch, second: str, status: int
) -> None:
    typed = iter(["correct horse", second])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    monkeypatch.setattr("sys.stdin", Terminal())

    assert users.main(["--file", str(path), "add", "ann"]) == status
    assert path.exists() == (status == 0)


def test_who_stops_at_the_question_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", stop)
    monkeypatch.setattr("sys.stdin", Terminal())

    assert users.main(["--file", str(path), "add", "ann"]) == 130
    assert not path.exists()


def test_a_command_is_required(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run()

    assert end.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.usefixtures("ann")
def test_roles_are_given_and_shown(run: Run, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert of(path).users["ann"].roles == ["viewer"]
    assert run("add", "bob", "--role", "operator", "--role", "operator", typed="correct horse") == 0
    assert run("roles", "ann", "viewer", "trainer") == 0
    capsys.readouterr()

    assert run("list") == 0
    assert capsys.readouterr().out == "ann\tdoor, yard-*\tviewer, trainer\t\nbob\t*\toperator\t\n"
    assert run("roles", "eve", "viewer") == 2
    with pytest.raises(SystemExit):
        run("roles", "ann", "boss")
    assert "choose from" in capsys.readouterr().err


def test_the_command_has_another_name() -> None:
    from video import users as other

    assert other.main is users.main
