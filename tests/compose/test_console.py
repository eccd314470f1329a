"""The form of the printed lines."""

import io

import pytest

from compose.console import Console, announce, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_names_are_padded_to_one_width() -> None:
    stream = io.StringIO()
    console = Console(stream, ["broker", "producer bikes"], colour=False)

    console.show("broker", "up")
    console.show("producer bikes", "delivers")
    console.say("ready")

    assert stream.getvalue() == "broker         | up\nproducer bikes | delivers\ncompose        | ready\n"


def test_a_long_name_is_cut() -> None:
    stream = io.StringIO()

    Console(stream, ["producer " + "x" * 200], colour=False).say("ready")

    assert stream.getvalue() == f"{'compose':24} | ready\n"


def test_links_to_change_cameras_or_models_are_shown_and_other_tokens_are_not() -> None:
    stream = io.StringIO()
    console = Console(stream, ["video"], colour=False)
    link = "to change cameras from another machine: http://host:30163/?token=F4sHwJk2Lp0Qz7"

    console.show("video", link)
    console.show("video", f"refused: {link}")

    console.show("video", link.replace("cameras", "models"))

    shown, hidden, models = stream.getvalue().splitlines()
    assert shown.endswith(link)
    assert models.endswith("?token=F4sHwJk2Lp0Qz7")
    assert "F4sHwJk2Lp0Qz7" not in hidden


def test_a_part_keeps_its_colour_and_its_text_has_none() -> None:
    stream = io.StringIO()
    console = Console(stream, ["a", "b"], colour=True)

    console.show("a", "1")
    console.show("b", "2")
    console.show("a", "3")

    first, second, third = stream.getvalue().splitlines()
    assert first == "\033[36ma       |\033[0m 1"
    assert second.startswith("\033[33mb")
    assert third == first.replace("1", "3")


def test_more_parts_than_colours() -> None:
    names = [f"producer {number}" for number in range(25)]

    Console(io.StringIO(), names, colour=True).show("producer 24", "fine")


def test_colour_is_for_terminals_unless_switched_off() -> None:
    assert wants_colour(Terminal(), {"TERM": "xterm"})
    assert wants_colour(Terminal(), {"NO_COLOR": ""})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {})


def test_a_reader_that_has_gone_is_not_an_error() -> None:
    Console(Gone(), [], colour=False).say("anybody there?")


def test_the_announcement_goes_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    announce("ready: http://127.0.0.1:30163/")

    assert capfd.readouterr() == ("ready: http://127.0.0.1:30163/\n", "")
