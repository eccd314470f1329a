"""Roles of users: in the file, with a login and with a token."""

import json
from pathlib import Path

import pytest

from pipeline.access import roles, token
from pipeline.access.roles import ROLES, Role
from pipeline.access.session import Sessions
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersError, UsersFile, read, write

PREVIEW = "preview-0123456789abcdef"


def with_roles(path: Path, content: UsersFile, *given: Role) -> User:
    """Give ann roles; return her."""
    ann = content.users["ann"].model_copy(update={"roles": list(given)})
    write(path, content.model_copy(update={"users": {"ann": ann}}))
    return ann


def test_an_admin_may_do_everything() -> None:
    assert all(roles.has(["admin"], role) for role in ROLES)
    assert [role for role in ROLES if roles.has(["operator"], role)] == ["operator"]
    assert roles.lacks("ann", ["admin"], "operator") is None
    assert roles.lacks("ann", ["viewer"], "operator") == (
        "this needs the role operator: python -m pipeline.users roles ann viewer operator"
    )


def test_users_of_older_files_are_viewers(path: Path) -> None:
    fields = json.loads(path.read_text())
    for user in fields["users"].values():
        del user["roles"]
    path.write_text(json.dumps(fields))

    assert {user.roles[0] for user in read(path).users.values()} == {"viewer"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["boss"], "expected viewer, operator, trainer or admin"),
        ([], "expected one or more"),
        ("operator", "expected a list"),
    ],
)
def test_a_wrong_role_is_named_with_its_user(path: Path, given: object, words: str) -> None:
    fields = json.loads(path.read_text())
    fields["users"]["ann"]["roles"] = given
    path.write_text(json.dumps(fields))

    with pytest.raises(UsersError, match=f"user 'ann': roles.*{words}"):
        read(path)


def test_sessions_and_tokens_have_their_users_roles(
    path: Path, content: UsersFile, users: Users, sessions: Sessions
) -> None:
    ann = with_roles(path, content, "operator")
    users.look()
    session = sessions.find(f"streamlens={sessions.begin('ann', ann)}")
    bearer = token.find(users, "Bearer sl_of-ann")

    for visitor in (session, bearer):
        assert visitor is not None
        assert list(visitor.roles) == ["operator"]
        assert visitor.lacks("operator") is None
        assert str(visitor.lacks("admin")).startswith("this needs the role admin")
        assert visitor.may_see(PREVIEW)
        assert not visitor.may_see("hall")

    with_roles(path, content, "viewer")
    users.look()
    assert session is not None
    assert session.lacks("operator")
    assert not session.may_see(PREVIEW)
