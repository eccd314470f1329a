"""The tests of the page's modules, run by Node, and of the messages between page and server."""

import json
import re
import shutil
import subprocess
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire.frame import is_name
from tests.conftest import missing
from tests.parts import ROOT
from video.streams.socket import wire

pytestmark = pytest.mark.parts

TESTS: Final = sorted((ROOT / "tests/video/page").glob("*.test.js"))
OLDEST: Final = (20, 19)
"""From this version on, Node recognises modules by their syntax, so it loads them as browsers do."""

ECHO: Final = """
import { text } from "node:stream/consumers";
import { readPicture, writeAck, writeTime, writeWatch } from "./video/page/live/wire.js";

const { pictures, watch, ack, time } = JSON.parse(await text(process.stdin));
const read = pictures.map((hex) => {
  const { jpeg, ...head } = readPicture(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
  return { ...head, jpeg: Buffer.from(jpeg).toString("hex") };
});
const written = [writeWatch(new Map(watch)), writeAck(...ack), writeTime(time)];
console.log(JSON.stringify({ read, written }));
"""

PICTURES: Final = st.fixed_dictionaries(
    {
        "jpeg": st.binary(max_size=200),
        "scale": st.sampled_from([1, 2, 4, 8]),
        "camera": st.integers(0, 2**16 - 1),
        "number": st.integers(0, 2**32 - 1),
        "seq": st.integers(0, 2**53),
        "captured": st.integers(0, 2**62),
        "width": st.integers(0, 2**16 - 1),
        "height": st.integers(0, 2**16 - 1),
    }
)
NAMES: Final = st.text(max_size=20).filter(is_name) | st.sampled_from(
    ["__proto__", "7", "<b>é</b>/“yard”", "🦊"]
)


@pytest.fixture(scope="module")
def node() -> str:
    """The path of a Node that runs the page's modules unchanged."""
    how = f"install Node {OLDEST[0]}.{OLDEST[1]} or newer"
    path = shutil.which("node")
    if path is None:
        missing("node", how)
        raise AssertionError
    version = subprocess.run(
        [path, "--version"], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    major, minor = version.strip().removeprefix("v").split(".")[:2]
    if (int(major), int(minor)) < OLDEST:
        missing("node", f"{how}; this is {version.strip()}")
    return path


def test_the_pages_modules_pass_their_own_tests(node: str) -> None:
    command = [node, "--test", "--test-reporter=tap", *map(str, TESTS)]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"^# pass (\d+)$", run.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= len(TESTS) > 0, run.stdout


@settings(max_examples=15)
@given(
    pictures=st.lists(PICTURES, min_size=10, max_size=20),
    watch=st.dictionaries(NAMES, st.integers(0, 8000)),
    ack=st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)),
    time=st.floats(0, 1e14),
)
def test_page_and_server_understand_each_others_messages(
    node: str, pictures: list[dict[str, Any]], watch: dict[str, int], ack: tuple[int, int], time: float
) -> None:
    sent = [wire.picture(**picture)[-28 - len(picture["jpeg"]) :].hex() for picture in pictures]
    messages = {"pictures": sent, "watch": list(watch.items()), "ack": ack, "time": time}

    command = [node, "--input-type=module", "--eval", ECHO]
    run = subprocess.run(
        command, cwd=ROOT, input=json.dumps(messages), capture_output=True, text=True, timeout=30, check=True
    )
    answer = json.loads(run.stdout)

    for picture, read in zip(pictures, answer["read"], strict=True):
        assert read.pop("captured") == pytest.approx(picture["captured"] / 1e6, abs=0.01, rel=1e-15)
        expected = {**picture, "jpeg": picture["jpeg"].hex(), "id": picture["camera"]}
        assert read == {name: value for name, value in expected.items() if name not in {"camera", "captured"}}
    watched, acked, asked = map(wire.parse, answer["written"])
    assert watched == wire.Watch(watch)
    assert acked == wire.Ack(*ack)
    assert asked == wire.Time(time)
