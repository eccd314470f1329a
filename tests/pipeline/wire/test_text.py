"""What comes from outside is readable in one line, wherever it comes in."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.predictions import decode
from pipeline.wire.text import one_line, readable

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


@pytest.mark.parametrize(
    "text", ["", "suit", "Windsor tie, double", "a  b", "\u05e9\u05dc\u05d5\u05dd", FAMILY, PERSIAN]
)
def test_a_text_that_can_be_read_stays(text: str) -> None:
    assert readable(text) == text


@pytest.mark.parametrize(
    "code",
    [
        *(*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
        *(0x61C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF, 0xE0041, 0xD800),
    ],
)
def test_what_controls_the_screen_or_the_direction_becomes_a_space(code: int) -> None:
    assert readable(f"a{chr(code)}b") == "a b"
    assert readable(f"{chr(code)}a{chr(code)}") == "a"
    assert one_line(f"a{chr(code)}b") == "a b"


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    line = readable(text)

    kinds = {unicodedata.category(each) for each in line.replace("\u200d", "").replace("\u200c", "")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert readable(line) == line


def test_the_texts_of_predictions_are_readable() -> None:
    result = {"label": "\x1b[31ma\u202eb\n", "score": 1}
    header = json.dumps([{"model": "m\x00\u2066", "results": [result], "seq": 1, "age_ms": 1}])

    (said,) = decode(header.encode())

    assert (said.model, said.results[0].label) == ("m", "[31ma b")
