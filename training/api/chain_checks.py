"""What a model of a chain must fit: the models above and below it."""

from collections.abc import Callable
from typing import Final, Protocol

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from training.api.answers import refusal
from training.api.parts import Parts
from training.code.program import FRAMEWORKS, Summary
from training.database.tables import ACTIVE, Model, Result
from training.part_shapes import gap, misfit

_NOT_ITSELF: Final = "father: a model cannot be its own father, nor that of one above it"


class Sent(Protocol):
    """A model as a client sends it, with the fields that matter here."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def father(self) -> int | None:
        """The id of the upper model."""

    @property
    def distributed(self) -> bool:
        """Whether it is a part of a chain."""

    @property
    def framework(self) -> str:
        """`tf` or `pth`."""


def check_shapes(parts: Parts, sent: Sent, number: int | None, found: Summary | None) -> None:
    """Raise the refusal if a model does not fit those above and below it; `number` is its id, if it has one.

    `found` is what its code has defined, None where that is not known: then the job finds out.
    """
    if not sent.distributed or found is None:
        return
    with parts.database.reading() as session:
        above = None if sent.father is None else session.get(Model, sent.father)
        row = None if number is None else session.get(Model, number)
        look_up = None if above is None else _later(parts, above)
        look_down = None if row is None or row.child is None else _later(parts, row.child)
    if why := misfit(sent.name, found, has_upper=look_up is not None):
        raise refusal(f"code: {why}")
    if look_up and (upper := look_up()) and (why := gap((sent.name, found), upper)):
        raise refusal(f"father: {why}")
    if look_down and (lower := look_down()) and (why := gap(lower, (sent.name, found))):
        raise refusal(f"code: {why}")


def father(session: Session, row: Model, sent: Sent) -> Model | None:
    """Return a model's father; raise the refusal if it cannot be that."""
    _check_change(session, row, sent)
    if not sent.distributed or sent.father is None:
        return None
    found = session.get(Model, sent.father)
    if found is None:
        raise refusal(f"father={sent.father}: there is no such model")
    if found.framework != sent.framework:
        raise refusal(
            f"father: {found.name} is a {FRAMEWORKS.get(found.framework, found.framework)} model, and"
            f" {sent.name} is {FRAMEWORKS[sent.framework]}: both must be TensorFlow"
        )
    if not found.distributed:
        raise refusal(f"father: expected a distributed model, and {found.name} is not")
    above: Model | None = found
    while above is not None:
        if above.id == row.id:
            raise refusal(_NOT_ITSELF)
        above = above.father
    if found.child is not None and found.child.id != row.id:
        raise refusal(f"father: {found.name} is the father of another model already")
    return found


def check_unused(row: Model) -> None:
    """Raise the refusal if a model is the upper model of another one."""
    if row.child is not None:
        raise refusal(
            f"model {row.name} is the upper model of {row.child.name}: change that one's father first"
        )


def _check_change(session: Session, row: Model, sent: Sent) -> None:
    """Raise the refusal for changes of a model in a chain that others rely on."""
    if row.id is None:
        return
    if not sent.distributed:
        check_unused(row)
    place = (sent.distributed, sent.father if sent.distributed else None)
    moved = (row.distributed, row.father_id) != place
    active = exists().where(Result.model_id == row.id, Result.status.in_(ACTIVE))
    if row.distributed and moved and session.scalar(select(active)):
        raise refusal(f"model {row.name} is being trained in a chain: stop that before you change the chain")


def _later(parts: Parts, model: Model) -> Callable[[], tuple[str, Summary] | None]:
    """Return what runs a model's code, after the database was left, and returns its name and summary."""
    name, framework, imports, code = model.name, model.framework, model.imports, model.code

    def look() -> tuple[str, Summary] | None:
        try:
            found = parts.code.check(framework, imports, code, distributed=True)
        except ValueError as error:
            raise refusal(f"the code of model {name} does not give a model: {error}") from None
        return None if found is None else (name, found)

    return look
