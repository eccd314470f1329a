"""The services' settings, checked as the services will, before anything is started."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from compose.errors import OptionsError
from compose.options import ROOT
from compose.parts import Part, environment
from consumer.settings import ConsumerSettings
from pipeline.access.settings import AccessSettings
from pipeline.access.users import Users
from pipeline.cameras.settings import CamerasSettings
from pipeline.http.tls import Certificate
from pipeline.service.settings import Settings, SettingsError, load
from producer.settings import ProducerSettings
from training.settings import TrainingSettings
from video.settings import VideoSettings

_KINDS: Final[Mapping[str, type[Settings]]] = {
    "producer": ProducerSettings,
    "consumer": ConsumerSettings,
    "video": VideoSettings,
    "training": TrainingSettings,
}
_ANY: Final = "127.0.0.1:9092"  # in place of the broker's address, which may not be known yet


def check(parts: Sequence[Part]) -> None:
    """Raise `OptionsError` with a line for each setting that a service would not accept."""
    lines: list[str] = []
    inherited = dict(os.environ)
    try:
        for part in parts:
            if part.role in _KINDS:
                _set_environment(environment(part, _ANY, inherited))
                _check(_KINDS[part.role], lines)
    finally:
        _set_environment(inherited)
    # Services describe a setting that they share each in their own words: one line is enough.
    if found := {line.partition(": ")[0]: line for line in lines}:
        raise OptionsError("\n".join(found.values()))


def _check(kind: type[Settings], lines: list[str]) -> None:
    with _noting(lines):
        settings = load(kind)
        if isinstance(settings, CamerasSettings):
            with _noting(lines):
                settings.seal()
        if isinstance(settings, AccessSettings):
            with _noting(lines):
                if settings.users:
                    Users(ROOT / settings.users)
            with _noting(lines):
                if settings.tlscert and settings.tlskey:
                    Certificate(ROOT / settings.tlscert, ROOT / settings.tlskey)


@contextmanager
def _noting(lines: list[str]) -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        lines += str(error).splitlines()


def _set_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
