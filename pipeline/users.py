"""Creates and edits the users file: `python -m pipeline.users add NAME`."""

import argparse
import getpass
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.access import token
from pipeline.access.password import hashed
from pipeline.access.roles import ROLES, Role
from pipeline.access.users_file import Name, Pattern, User, UsersError, UsersFile, empty, read, write
from pipeline.service.trim import trimmed

_SHORTEST = 8  # characters of a password


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return the exit status: 2, after one line on stderr, if it failed."""
    logging.basicConfig(format="users: %(message)s")
    arguments = _parser().parse_args(argv)
    try:
        if arguments.file is None:
            raise UsersError("expected a users file: give --file FILE, or set USERS")
        arguments.do(arguments)
    except UsersError as error:
        print(f"users: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    what = "Edit the users file, which says who may see and change what. Running servers notice changes."
    file = "the users file (default: $USERS)"
    parser = argparse.ArgumentParser("python -m pipeline.users", description=what)
    parser.add_argument("--file", type=Path, default=trimmed(os.environ.get("USERS", "")) or None, help=file)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(do: Callable[[argparse.Namespace], None], about: str, *names: str) -> argparse.ArgumentParser:
        known = commands.add_parser(do.__name__.strip("_"), help=about, description=about)
        known.add_argument("--file", type=Path, default=argparse.SUPPRESS, help=file)
        known.set_defaults(do=do)
        for name in names:
            known.add_argument(name, metavar=name.upper())
        return known

    patterns = "a camera name, in which * stands for any characters, such as 'yard-*'"
    add = command(_add, "add a user (asks for a password), and create the file if there is none", "name")
    add.add_argument(
        "--camera", metavar="PATTERN", action="append", help=f"{patterns}; repeatable (default: all cameras)"
    )
    role = "viewer (sees), operator (changes cameras), trainer (changes models and trainings) or admin (all)"
    add.add_argument(
        "--role", choices=ROLES, action="append", metavar="ROLE", help=f"{role}; repeatable (default: viewer)"
    )
    command(_password, "change a user's password, and end the user's sessions, but not the tokens", "name")
    cameras = command(_cameras, "set which cameras a user may see", "name")
    cameras.add_argument("pattern", metavar="PATTERN", nargs="+", help=patterns)
    roles = command(_roles, "set what a user may do", "name")
    roles.add_argument("role", choices=ROLES, metavar="ROLE", nargs="+", help=role)
    command(
        _token,
        "create a token for a player or a script, and print it (it is shown only once)",
        "name",
        "label",
    )
    command(_revoke, "remove a token", "name", "label")
    command(_remove, "remove a user, and end the user's sessions", "name")
    command(_list, "list the users: name, cameras, roles, token labels")
    return parser


def _add(arguments: argparse.Namespace) -> None:
    name = _checked(Name, arguments.name, "a user's name")
    cameras = _patterns(arguments.camera or ["*"])
    _without(arguments)
    user = User(password=hashed(_ask()), cameras=cameras, roles=_unique(arguments.role or ["viewer"]))
    write(arguments.file, _with(_without(arguments), name, user))


def _password(arguments: argparse.Namespace) -> None:
    _known(arguments)
    password = hashed(_ask())
    content, user = _known(arguments)  # again, because the file may have changed while the password was typed
    _change(arguments, content, user.model_copy(update={"password": password}))
    if user.tokens:
        labels = ", ".join(user.tokens)
        print(f"the tokens of {arguments.name!r} stay valid: {labels}; end them with revoke", file=sys.stderr)


def _cameras(arguments: argparse.Namespace) -> None:
    content, user = _known(arguments)
    _change(arguments, content, user.model_copy(update={"cameras": _patterns(arguments.pattern)}))


def _roles(arguments: argparse.Namespace) -> None:
    content, user = _known(arguments)
    _change(arguments, content, user.model_copy(update={"roles": _unique(arguments.role)}))


def _token(arguments: argparse.Namespace) -> None:
    content, user = _known(arguments)
    label = _checked(Name, arguments.label, "a token's label")
    if label in user.tokens:
        raise UsersError(f"{arguments.file}: {arguments.name!r} already has a token {label!r}")
    made = token.new()
    _change(
        arguments, content, user.model_copy(update={"tokens": {**user.tokens, label: token.digest(made)}})
    )
    print(made)


def _revoke(arguments: argparse.Namespace) -> None:
    content, user = _known(arguments)
    if arguments.label not in user.tokens:
        raise UsersError(f"{arguments.file}: {arguments.name!r} has no token {arguments.label!r}")
    tokens = {label: known for label, known in user.tokens.items() if label != arguments.label}
    _change(arguments, content, user.model_copy(update={"tokens": tokens}))


def _remove(arguments: argparse.Namespace) -> None:
    content, _ = _known(arguments)
    users = {name: user for name, user in content.users.items() if name != arguments.name}
    write(arguments.file, content.model_copy(update={"users": users}))


def _list(arguments: argparse.Namespace) -> None:
    for name, user in sorted(read(arguments.file).users.items()):
        print(name, ", ".join(user.cameras), ", ".join(user.roles), ", ".join(user.tokens), sep="\t")


def _without(arguments: argparse.Namespace) -> UsersFile:
    content = read(arguments.file) if arguments.file.exists() else empty()
    if arguments.name in content.users:
        raise UsersError(f"{arguments.file}: there is already a user {arguments.name!r}")
    return content


def _known(arguments: argparse.Namespace) -> tuple[UsersFile, User]:
    content = read(arguments.file)
    user = content.users.get(arguments.name)
    if user is None:
        raise UsersError(f"{arguments.file}: there is no user {arguments.name!r}")
    return content, user


def _change(arguments: argparse.Namespace, content: UsersFile, user: User) -> None:
    write(arguments.file, _with(content, arguments.name, user))


def _with(content: UsersFile, name: str, user: User) -> UsersFile:
    return content.model_copy(update={"users": {**content.users, name: user}})


def _checked(kind: Any, text: str, what: str) -> str:
    try:
        return TypeAdapter[str](kind).validate_python(text)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsersError(f"{text!r} is not valid as {what}: {reason}") from None


def _unique(roles: list[Role]) -> list[Role]:
    return list(dict.fromkeys(roles))


def _patterns(texts: list[str]) -> list[str]:
    return [_checked(Pattern, text, "a camera's pattern") for text in texts]


def _ask() -> str:
    """Return a new password: typed twice on a terminal, otherwise one line of standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Repeat the password: ") != password:
            raise UsersError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < _SHORTEST:
        raise UsersError(f"expected a password of at least {_SHORTEST} characters")
    return password


if __name__ == "__main__":
    sys.exit(main())
