"""Each situation, through the services' own code."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.wire import picture
from pipeline.wire.frame import Frame
from tests.compatibility.situation import Check, Refused, Situation
from tests.compatibility.table import CHECKS, PAGE, SECTIONS, page
from tests.compatibility.watch import watch


def cases(sections: Mapping[str, Sequence[Situation | Check]]) -> Iterator[object]:
    for title, situations in sections.items():
        for each in situations:
            marks = [pytest.mark.parts, *([pytest.mark.outside] if each.part else [])]
            yield pytest.param(each, marks=marks, id=f"{title}: {each.what}")


@pytest.mark.parametrize("situation", list(cases(SECTIONS)))
def test_what_happens_is_what_the_page_says(
    situation: Situation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for part in situation.part.split():
        request.getfixturevalue({"rtsp": "system_python", "ipv6": "ipv6"}[part])
    then = situation.then
    with situation.start(tmp_path) as link:
        watched = watch(link, 1 if isinstance(then, Refused) else then.count, **situation.settings)

    if isinstance(then, Refused):
        assert watched.frames == []
        assert watched.reason == then.reason
        return
    assert watched.reason == ""
    assert len(watched.frames) == then.count
    assert {level(frame, then.levels) for frame in watched.frames} <= set(then.levels)
    sizes = {(frame.width, frame.height) for frame in watched.frames}
    assert sizes == ({then.size} if then.size != (0, 0) else {(64, 48), (96, 64)})
    if then.dropped:
        assert watched.dropped[then.dropped]


@pytest.mark.parametrize("check", list(cases(CHECKS)))
def test_what_happens_beyond_cameras_is_what_the_page_says(
    check: Check, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if check.part:
        request.getfixturevalue(check.part)

    assert check.see(tmp_path) == check.happens


def level(frame: Frame, levels: tuple[int, ...]) -> int:
    """Return the grey level that a picture shows, one of those expected if it is close to one."""
    mean = float(np.mean(picture.decode(frame.jpeg)))
    nearest = min(levels, key=lambda each: abs(each - mean))
    return nearest if abs(nearest - mean) < 12 else round(mean)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.compatibility.table"


def test_situations_have_different_names() -> None:
    sections: dict[str, Sequence[Situation | Check]] = {**SECTIONS, **CHECKS}
    names = [(title, each.what) for title, situations in sections.items() for each in situations]

    assert len(set(names)) == len(names) >= 150
