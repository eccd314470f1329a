import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.service.trim import trimmed

JSON = '{"imagenet_1":"http://a/b", \n"imagenet_2": "http://c/d"}'


@pytest.mark.parametrize("value", ["42ms", "a  b", "rtsp://joe:a'b\"c@host/x y", "FILE:///a'b", JSON])
@pytest.mark.parametrize("around", ["{}", "  {}", "{}  \n", "\r\n{}\t", '"{}"', "'{}'", ' " {} "\n'])
def test_what_surrounds_a_value_is_removed(value: str, around: str) -> None:
    assert trimmed(around.format(value)) == value


def test_the_other_quote_may_be_inside() -> None:
    assert trimmed('"Anna\'s camera"') == "Anna's camera"
    assert trimmed("'the \"blue\" door'") == 'the "blue" door'


@pytest.mark.parametrize(
    "value",
    [
        '"A" or "B"',  # two pairs
        "'A' and 'B'",
        '"A',
        "B'",
        "\"A'",
        '"',
        'a  "b"',
        "",
    ],
)
def test_quotes_that_are_not_a_pair_stay(value: str) -> None:
    assert trimmed(f" {value} ") == value


def test_only_one_pair_of_quotes_is_removed() -> None:
    assert trimmed("""'"A" or "B"'""") == '"A" or "B"'
    assert trimmed('""') == ""
    assert trimmed("' '") == ""


@given(st.text())
def test_nothing_inside_changes(text: str) -> None:
    kept = trimmed(text)

    assert kept in text
    assert kept == kept.strip()
    assert set(text.replace(kept, "", 1)) <= {*"\"'", *filter(str.isspace, text)}
