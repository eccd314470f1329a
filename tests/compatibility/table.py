"""docs/compatibility.md, written from the situations: `python -m tests.compatibility.table`."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.compatibility import (
    clients,
    in_files,
    on_network,
    over_http,
    over_ipv6,
    over_the_web,
    videos_over_http,
    with_kafka,
    with_models,
)
from tests.compatibility.situation import Check, Refused, Situation
from tests.compatibility.with_kafka import Trouble
from tests.parts import ROOT

PAGE: Final = ROOT / "docs/compatibility.md"
CHECKS: Final[Mapping[str, Sequence[Check]]] = {
    "Label files": with_models.LABELS,
    "Models and their answers": with_models.ANSWERS,
    "Trouble with models": with_models.TROUBLE,
    "Players": clients.PLAYERS,
    "Browsers": clients.BROWSERS,
    "The page behind a proxy": over_the_web.PROXIES,
    "Other sites and other clients": over_the_web.CLIENTS,
}
SECTIONS: Final[Mapping[str, Sequence[Situation]]] = {
    "Motion JPEG over HTTP": over_http.MOTION,
    "A picture per request": over_http.SNAPSHOTS,
    "Videos over HTTP": videos_over_http.VIDEOS,
    "RTSP and other streams": on_network.CAMERAS,
    "Cameras with an IPv6 address": over_ipv6.CAMERAS,
    "Films and pictures in files": in_files.FILMS,
    "Trouble over HTTP": over_http.TROUBLE,
    "Trouble on the network": on_network.TROUBLE,
    "Trouble with files and devices": in_files.TROUBLE,
}

_HEAD: Final = """\
# Compatibility: what happens

Each row is a test with a synthetic camera, server or client (`make test-parts ARGS=tests/compatibility`),
and this page is written from these tests (`python -m tests.compatibility.table`). A text in quotation marks
is the one that the user reads in the log, in `/readyz` and on the page. A camera without pictures is opened
again, after 0.5 s at first and 30 s at most (or what its `Retry-After` says), until it delivers; a model
without answers is asked again, after 2 s at most, and a Kafka that does not answer within a second.
"""


def page() -> str:
    """Return the page."""
    kafka = {"Trouble with Kafka": with_kafka.TROUBLE}
    sections: dict[str, Sequence[Situation | Check | Trouble]] = {**SECTIONS, **CHECKS, **kafka}
    return "\n".join([_HEAD, *(_section(title, rows) for title, rows in sections.items())])


def _section(title: str, situations: Sequence[Situation | Check | Trouble]) -> str:
    rows = "".join(f"| {each.what} | {_outcome(each)} |\n" for each in situations)
    return f"## {title}\n\n| situation | what happens |\n| --- | --- |\n{rows}"


def _outcome(situation: Situation | Check | Trouble) -> str:
    if isinstance(situation, Check):
        return situation.happens
    then = situation.then
    return f"“{then.reason}”" if isinstance(then, Refused) else then.how


if __name__ == "__main__":
    PAGE.write_text(page())
