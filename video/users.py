"""Makes and changes the users file: `python -m video.users add NAME`."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from video.access import token
from video.access.password import hashed
from video.access.users_file import Name, Pattern, User, UsersError, UsersFile, empty, read, write

_SHORTEST = 8  # characters of a password


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status, 2 with one line when it cannot be done."""
    told = _parser().parse_args(arguments)
    try:
        if told.file is None:
            raise UsersError("which file? Give --file FILE, or set USERS")
        told.do(told)
    except UsersError as error:
        print(f"users: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    what = "The users file: who may see which cameras. The server reads it again by itself when it changes."
    file = "the users file (default: what USERS says)"
    parser = argparse.ArgumentParser("python -m video.users", description=what)
    parser.add_argument("--file", type=Path, default=os.environ.get("USERS") or None, help=file)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(do: Callable[[argparse.Namespace], None], about: str, *names: str) -> argparse.ArgumentParser:
        known = commands.add_parser(do.__name__.strip("_"), help=about, description=about)
        known.add_argument("--file", type=Path, default=argparse.SUPPRESS, help=file)
        known.set_defaults(do=do)
        for name in names:
            known.add_argument(name, metavar=name.upper())
        return known

    patterns = "a camera's name; * stands for any characters, as in 'yard-*'"
    add = command(_add, "add a user, and make the file if need be; the password is asked for", "name")
    add.add_argument(
        "--camera", metavar="PATTERN", action="append", help=f"{patterns}; can be repeated (default: all)"
    )
    command(_password, "change a password; the user's sessions end", "name")
    cameras = command(_cameras, "change which cameras a user may see", "name")
    cameras.add_argument("pattern", metavar="PATTERN", nargs="+", help=patterns)
    command(_token, "make a token, for a player or a script, and print it: it is not kept", "name", "label")
    command(_revoke, "remove a token", "name", "label")
    command(_remove, "remove a user; the user's sessions end", "name")
    command(_list, "list the users: name, cameras, labels of tokens")
    return parser


def _add(told: argparse.Namespace) -> None:
    name = _checked(Name, told.name, "a user's name")
    cameras = _patterns(told.camera or ["*"])
    _without(told)
    user = User(password=hashed(_ask()), cameras=cameras)
    write(told.file, _with(_without(told), name, user))


def _password(told: argparse.Namespace) -> None:
    _known(told)
    password = hashed(_ask())
    content, user = _known(told)  # as it is after the time that asking took
    _change(told, content, user.model_copy(update={"password": password}))


def _cameras(told: argparse.Namespace) -> None:
    content, user = _known(told)
    _change(told, content, user.model_copy(update={"cameras": _patterns(told.pattern)}))


def _token(told: argparse.Namespace) -> None:
    content, user = _known(told)
    label = _checked(Name, told.label, "a token's label")
    if label in user.tokens:
        raise UsersError(f"{told.file}: {told.name!r} has a token {label!r} already")
    made = token.new()
    _change(told, content, user.model_copy(update={"tokens": {**user.tokens, label: token.digest(made)}}))
    print(made)


def _revoke(told: argparse.Namespace) -> None:
    content, user = _known(told)
    if told.label not in user.tokens:
        raise UsersError(f"{told.file}: {told.name!r} has no token {told.label!r}")
    tokens = {label: known for label, known in user.tokens.items() if label != told.label}
    _change(told, content, user.model_copy(update={"tokens": tokens}))


def _remove(told: argparse.Namespace) -> None:
    content, _ = _known(told)
    users = {name: user for name, user in content.users.items() if name != told.name}
    write(told.file, content.model_copy(update={"users": users}))


def _list(told: argparse.Namespace) -> None:
    for name, user in sorted(read(told.file).users.items()):
        print(name, ", ".join(user.cameras), ", ".join(user.tokens), sep="\t")


def _without(told: argparse.Namespace) -> UsersFile:
    content = read(told.file) if told.file.exists() else empty()
    if told.name in content.users:
        raise UsersError(f"{told.file}: there is a user {told.name!r} already")
    return content


def _known(told: argparse.Namespace) -> tuple[UsersFile, User]:
    content = read(told.file)
    user = content.users.get(told.name)
    if user is None:
        raise UsersError(f"{told.file}: there is no user {told.name!r}")
    return content, user


def _change(told: argparse.Namespace, content: UsersFile, user: User) -> None:
    write(told.file, _with(content, told.name, user))


def _with(content: UsersFile, name: str, user: User) -> UsersFile:
    return content.model_copy(update={"users": {**content.users, name: user}})


def _checked(kind: Any, text: str, what: str) -> str:
    try:
        return TypeAdapter[str](kind).validate_python(text)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsersError(f"{text!r} will not do as {what}: {reason}") from None


def _patterns(texts: list[str]) -> list[str]:
    return [_checked(Pattern, text, "a camera's pattern") for text in texts]


def _ask() -> str:
    """Return a new password, asked for twice on a terminal, else one line of standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise UsersError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < _SHORTEST:
        raise UsersError(f"a password of at least {_SHORTEST} characters is wanted")
    return password


if __name__ == "__main__":
    sys.exit(main())
