"""Tokens of jobs: each is for one result, and for nothing else."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from itsdangerous import BadData
from starlette.types import Scope

from pipeline.access import origin
from pipeline.access.roles import Role
from pipeline.access.signature import signer
from pipeline.cameras import new_key

Kind = Literal["training", "inference"]
"""What a job does: it trains a result, or predicts with one."""

_PURPOSE: Final = "job"
_WHY_NOT: Final = "the token of a job is valid only for its own result"


@dataclass(frozen=True, slots=True)
class Job:
    """The visitor behind the token of a run: it has no role, and may do what it needs for its `result`.

    If it predicts, `inference` is the number of its inference. If it trains a chain, `others` are the results
    of the other parts.
    """

    kind: Kind
    result: int
    inference: int = 0
    others: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """A name that no user has."""
        return f":{self.kind} of result {self.result}"

    @property
    def roles(self) -> Sequence[Role]:
        """Return none."""
        return ()

    def lacks(self, role: Role) -> str:  # noqa: ARG002
        """Return that the token is for something else."""
        return _WHY_NOT

    def may_see(self, camera: str) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def welcome(self) -> bool:
        """Return True: a job ends with its connection."""
        return True

    def may(self, method: str, path: str) -> bool:
        """Return whether the job may send a request.

        A training may do everything at its result but delete it. An inference may fetch the trained model,
        and the code that it needs to load it, and report how it does.
        """
        if self.kind == "inference":
            reports = method == "POST" and path == f"/inferences/{self.inference}/progress"
            own = {f"/results/{self.result}", f"/results/model/{self.result}"}
            return reports or (method == "GET" and path in own)
        is_own = any(_is_of(each, path) for each in (self.result, *self.others))
        return is_own and method in {"GET", "POST", "PUT"}


def _is_of(result: int, path: str) -> bool:
    own = f"/results/{result}"
    return path in {own, f"/results_metrics/{result}"} or path.startswith(f"{own}/")


class JobTokens:
    """Makes tokens, and finds the jobs behind them; without a `secret`, they are valid for this process only.

    A token is signed, and nothing about it is stored.
    """

    def __init__(self, secret: str = "") -> None:
        self._signer = signer(secret or secrets.token_urlsafe(32), _PURPOSE)

    def issue(self, kind: Kind, result: int, inference: int = 0, others: Sequence[int] = ()) -> str:
        """Return the token of the runs for a result, of which an inference has several."""
        return str(self._signer.dumps([kind, result, inference, *others]))

    def find(self, scope: Scope) -> Job | None:
        """Return the job that sends a request, if its `Authorization` is a job's token."""
        scheme, _, token = origin.header(scope["headers"], b"authorization").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            kind, *numbers = self._signer.loads(token.strip())
            result, inference, *others = numbers
        except (BadData, TypeError, ValueError):  # the last two: from another version of this service
            return None
        if kind not in ("training", "inference") or not all(isinstance(each, int) for each in numbers):
            return None
        return Job(kind, result, inference, (*others,))


def stored(folder: Path) -> JobTokens:
    """Return tokens with the secret in a folder, where it is kept for runs that outlive the service.

    Raises OSError if it cannot be read or written.
    """
    file = folder / "jobs.key"
    new_key.provide(file)
    return JobTokens(file.read_text(encoding="ascii").strip())
