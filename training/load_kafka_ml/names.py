"""Names that Kafka-ML allows and this service does not."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from training.database.tables import Configuration, Model
from training.fields import NAME_LENGTH, name_like
from training.load_kafka_ml.report import SkipError

_Named = TypeVar("_Named", Model, Configuration)


class Names(Generic[_Named]):
    """Names for a Kafka-ML's models, or its configurations; the same rows in the same order get the same."""

    def __init__(self, kind: type[_Named], theirs: Iterable[object]) -> None:
        self._kind: type[_Named] = kind
        self._taken = {*theirs}

    def find(
        self, session: Session, name: Any, is_same: Callable[[_Named], bool]
    ) -> tuple[Any, _Named | None]:
        """Return a name for a row that has this one, and the row if it was loaded before.

        Raises SkipError if a row that is not the same has the name.
        """
        for offer in self._offers(name):
            known = session.scalars(select(self._kind).where(self._kind.name == offer)).first()
            if known is None or is_same(known):
                self._taken.add(offer)
                return offer, known
            if offer == name:
                kind = self._kind.__name__.lower()
                raise SkipError(f"another {kind} is called {name}: rename one of them")
        return name, None

    def _offers(self, name: object) -> Iterator[str]:
        """Yield a name, or others with "-" in place of what is not allowed; none if it is too long."""
        if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH:
            return
        like = name_like(name)
        if like == name:
            yield name
            return
        for number in count(1):
            end = "" if number == 1 else f"-{number}"
            offer = f"{like[: NAME_LENGTH - len(end)]}{end}"
            if offer not in self._taken:
                yield offer
