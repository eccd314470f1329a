"""The command line of `python -m producer.cameras`."""

import argparse
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from producer.cameras.errors import CommandError

_DESCRIPTION: Final = """\
List, change and check the cameras that the producers capture.

They are records in Kafka (topic CAMERASTOPIC): every producer, consumer and page follows them, and a
change takes effect at once. The environment says where they are: KAFKAPORT, CAMERASTOPIC (default: cameras),
CAMERASKEY or CAMERASKEYFILE if links are encrypted, KAFKACONFIG for logins and TLS."""

_EXAMPLES: Final = """\
examples:
  export KAFKAPORT=localhost:9092
  python -m producer.cameras add door rtsp://user:password@192.168.1.20/stream1
  python -m producer.cameras list
  python -m producer.cameras COMMAND --help    describes one command

exit status: 0 if all is done, 1 if something could not be done, 2 for a wrong command line or setting."""

LINK: Final = (
    "a URL, a file or a device; - reads it from standard input, or asks for it, so that neither ps nor the"
    " shell's history shows its password"
)


_NUMBERS: Final = frozenset(
    {"--interval", "--scale", "--rotate", "--weight", "--deadline", "--partition", "--seconds"}
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if found := re.fullmatch(r"argument (?:-\w/)?(--\w+): expected one argument", message):
            message = f"{found[1]}: expected a value; one that begins with - is written {found[1]}=VALUE"
        raise CommandError(f"{message} ({self.prog} --help describes the command)")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the command and its options; raise `CommandError` if one is wrong."""
    form = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        "python -m producer.cameras", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=form
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, about: str, *examples: str) -> argparse.ArgumentParser:
        lines = "\n".join(f"  python -m producer.cameras {example}" for example in examples)
        text = f"{about[0].upper()}{about[1:]}."
        return commands.add_parser(
            name, help=about, description=text, epilog=f"examples:\n{lines}", formatter_class=form
        )

    listing = command("list", "list the cameras and their states", "list", "list --json")
    listing.add_argument(
        "--json", action="store_true", help="all fields as JSON, for scripts; links are masked"
    )

    add = command(
        "add",
        "add a camera",
        "add door rtsp://user:password@192.168.1.20/stream1 --interval 100ms --group Yard",
        "add door - < link.txt",
        "add door onvif://user:password@192.168.1.20    the best stream that the camera offers",
        "add door onvif://user:password@192.168.1.20/sub    the profile sub",
    )
    add.add_argument("name", metavar="NAME", help="the camera's name, 1 to 200 printable characters")
    add.add_argument("link", metavar="LINK", help=LINK)
    add.add_argument("--replace", action="store_true", help="replace the camera if it exists")
    _fields(add)

    change = command(
        "set",
        "change single fields of a camera; an empty value restores the default",
        "set door --scale 0.5 --model imagenet_1",
        "set door --link -",
        "set door --model '' --interval ''",
    )
    change.add_argument("name", metavar="NAME")
    change.add_argument("--link", metavar="LINK", help=LINK)
    _fields(change)

    for name, about in (
        ("remove", "remove cameras"),
        ("pause", "stop capturing cameras, but keep them"),
        ("resume", "capture paused cameras again"),
    ):
        command(name, about, f"{name} door", f"{name} door yard").add_argument(
            "names", metavar="NAME", nargs="+"
        )
    _others(command)
    return parser.parse_args(list(_joined(arguments)))


def _joined(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments; `--interval -5s`, whose value looks like an option, as `--interval=-5s`."""
    left = iter(arguments)
    for each in left:
        value = next(left, None) if each in _NUMBERS else None
        if value is None:
            yield each
        elif re.match(r"-[.\d]", value):
            yield f"{each}={value}"
        else:
            yield each
            yield value


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number of seconds such as 4, found {text!r}") from None


def _others(command: Any) -> None:
    check = command(
        "check",
        "open a camera as a producer would, and report its size, rate and codec, and what to change",
        "check door",
        "check rtsp://user:password@192.168.1.20/stream1",
        "check - < link.txt",
    )
    check.add_argument("target", metavar="LINK|NAME", help=f"{LINK}; or the name of a camera")
    check.add_argument("--seconds", type=_seconds, default=3.0, help="how long to measure (default: 3)")

    export = command(
        "export",
        "write all cameras as YAML, which apply restores; encrypted links stay encrypted",
        "export cameras.yml",
        "export --links > cameras.yml",
    )
    export.add_argument(
        "file", metavar="FILE", nargs="?", help="the file, for this user only (default: standard output)"
    )
    export.add_argument("--links", action="store_true", help="write links with their passwords in clear")

    apply = command(
        "apply",
        "add and change cameras as a file says",
        "apply -f cameras.yml --dry-run",
        "apply -f cameras.yml --prune",
    )
    apply.add_argument("-f", "--file", required=True, metavar="FILE", help="YAML; - for standard input")
    apply.add_argument("--prune", action="store_true", help="remove the cameras that the file does not name")
    apply.add_argument("--dry-run", action="store_true", help="only print what would change")

    key = command(
        "key",
        "print a new key for CAMERASKEY, which encrypts the links",
        "key > cameras.key",
        "key --rotate",
    )
    key.add_argument(
        "--rotate", action="store_true", help="encrypt all links again, with the first of the keys"
    )

    discover = command(
        "discover",
        "find ONVIF cameras, and with a user name list their streams",
        "discover",
        "discover --network 192.168.1.0/24 --user admin",
        "discover --network 192.168.1.20 --user admin < password.txt",
    )
    discover.add_argument(
        "--network",
        metavar="ADDRESS",
        help="ask this address, or each of a network such as 192.168.1.0/24 (default: a multicast, which"
        " reaches the local network only)",
    )
    discover.add_argument(
        "--user",
        metavar="NAME",
        help="list profiles with this user; the password is asked for, or read from standard input",
    )
    discover.add_argument(
        "--seconds", type=_seconds, default=4.0, help="how long to wait for answers (default: 4)"
    )


def _fields(parser: argparse.ArgumentParser) -> None:
    def add(option: str, metavar: str, text: str) -> None:
        parser.add_argument(option, metavar=metavar, help=text)

    add("--interval", "TIME", "time between two frames, such as 40ms (default: the producer's FRAMEINTERVAL)")
    add("--scale", "FACTOR", "factor for width and height, such as 0.5, or two: 0.5x0.25 (default: 1)")
    add("--rotate", "DEGREES", "turn the picture clockwise by 90, 180 or 270 degrees")
    add("--group", "TEXT", "the heading under which the page shows the camera")
    parser.add_argument(
        "--model", metavar="NAME", action="append", help="a model that labels it; repeatable (default: all)"
    )
    add("--weight", "NUMBER", "its share of the models' time, relative to other cameras (default: 1)")
    add("--deadline", "TIME", "the age up to which a frame is worth a model's time, such as 500ms")
    add("--partition", "NUMBER", "the partition of its frames (default: one with the fewest cameras)")
    parser.add_argument(
        "--paused",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether to keep the camera without capturing it",
    )
