"""The forms that a label file may have, and what is wrong with all others."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.labels.formats import parse
from consumer.labels.labels import Labels
from pipeline.wire.text import readable
from tests.consumer.fakes import PROPERTY

NAMES = ("tench", "goldfish", "crème brûlée")
PLAIN = Labels(NAMES)
FROM_0 = Labels(NAMES, (0, 1, 2))
COCO = Labels(("person", "car"), (1, 3))

LABEL_MAP = """
# Labels of a detector
item {
  name: "/m/01g317"
  id: 1
  display_name: "person"
}
item: { id: 3 name: 'car' frequency: FREQUENT keypoints { id: 7 label: "wheel" } }
"""


def as_json(content: object) -> bytes:
    """Return JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("file", "data", "labels"),
    [
        ("", as_json(NAMES), PLAIN),
        ("", b"\n  " + as_json(NAMES) + b"\r\n\r\n", PLAIN),
        ("", b"\xef\xbb\xbf" + as_json(NAMES), PLAIN),
        ("", json.dumps(NAMES, indent=1).encode(), PLAIN),
        ("", as_json({"names": NAMES, "nc": 3}), PLAIN),
        ("", as_json({"0": "tench", "1": "goldfish", "2": "crème brûlée"}), FROM_0),
        ("", as_json({"2": "crème brûlée", "0": "tench", "1": "goldfish"}), FROM_0),
        ("", as_json({"tench": 0, "goldfish": 1, "crème brûlée": 2}), FROM_0),
        ("", as_json({str(i): [f"n0000000{i}", name] for i, name in enumerate(NAMES)}), FROM_0),
        ("", as_json({"id2label": {str(i): name for i, name in enumerate(NAMES)}}), FROM_0),
        ("", as_json({"1": "person", "3": "car"}), COCO),
        ("", as_json({"categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]}), COCO),
        ("", as_json([{"name": "tench"}, {"name": "goldfish"}, {"name": "crème brûlée"}]), PLAIN),
        ("labels.txt", "tench\ngoldfish\ncrème brûlée".encode(), PLAIN),
        ("", "tench\r\ngoldfish\r\ncrème brûlée\r\n".encode(), PLAIN),
        ("", "\ufefftench\ngoldfish\ncrème brûlée\n\n \n".encode(), PLAIN),
        ("", "tench\ngoldfish\ncrème brûlée".encode("utf-16"), PLAIN),
        ("", "n01440764 tench\nn01443537 goldfish\nn07836838 crème brûlée".encode(), PLAIN),
        ("", "0 tench\n1 goldfish\n2 crème brûlée".encode(), FROM_0),
        ("", "0\ttench\n1\tgoldfish\n2\tcrème brûlée".encode(), FROM_0),
        ("", b"1: person\n3: car", COCO),
        ("", b"1 euro\n2 euro", Labels(("1 euro", "2 euro"))),
        ("", b"2 doors\n4 wheels", Labels(("2 doors", "4 wheels"))),
        ("", b"0\n1\n2", Labels(("0", "1", "2"))),
        ("", LABEL_MAP.encode(), COCO),
        ("", b'item { name: "person" } item { name: "car" }', Labels(("person", "car"))),
        ("x.csv", b"id,name\n1,person\n3,car\n", COCO),
        ("x.csv", b"name;id\r\nperson;1\r\ncar;3\r\n", COCO),
        ("x.TSV", b"1\tperson\n3\tcar\n", COCO),
        ("x.csv", b'index,mid,display_name\n0,/m/09x0r,Speech\n1,/m/05zppz,"Speech, male"\n',
         Labels(("Speech", "Speech, male"), (0, 1))),
        ("x.csv", b"/m/061hd_,Infant bed\n/m/06m11,Rose\n", Labels(("Infant bed", "Rose"))),
        ("x.csv", b"LabelName,DisplayName\n/m/061hd_,Infant bed\n/m/06m11,Rose\n",
         Labels(("Infant bed", "Rose"))),
        ("x.csv", b"Class ID,Class Name\n1,person\n3,car\n", COCO),
        ("x.txt", b"id,name\n1,person\n3,car\n", COCO),
        ("x.txt", b'/m/061hd_,Infant bed\n/m/0jg57,"Bell pepper, sweet"\n',
         Labels(("Infant bed", "Bell pepper, sweet"))),
        ("x.txt", b"n02119789 1 kit_fox\nn02100735 2 English_setter",
         Labels(("kit_fox", "English_setter"), (1, 2))),
        ("x.csv", '"label"\n"tench"\n"goldfish"\n"crème brûlée"\n'.encode(), PLAIN),
        ("x.csv", b"0\n1\n2\n", Labels(("0", "1", "2"))),
    ],
)  # fmt: skip
def test_every_unambiguous_form_is_accepted(file: str, data: bytes, labels: Labels) -> None:
    assert parse(data, file) == labels


def test_labels_may_repeat_and_contain_any_printable_text() -> None:
    text = "crane\ncrane\n0: a b 👩\u200d🚀"

    assert parse(text.encode()).names == ("crane", "crane", "0: a b 👩\u200d🚀")


def test_what_changes_the_direction_of_a_label_is_left_out() -> None:
    assert parse('["a\u202eb", "\u2066c\u2069"]'.encode()).names == ("a b", "c")
    with pytest.raises(ValueError, match="expected a text as label 1"):
        parse('["a", "\u202e"]'.encode())


@pytest.mark.parametrize(
    ("file", "data", "parts"),
    [
        ("", b"", ["expected a JSON list"]),
        ("", b" \n", ["expected a JSON list"]),
        ("", b"<html><body>Not found</body></html>", ["expected a JSON list", "<html>"]),
        ("", b'"tench"', ["expected a JSON list"]),
        ("", b"[]", ["at least one label"]),
        ("", b"{}", ["at least one label"]),
        ("", b"[1, 2]", ["string", "label 0", "found 1"]),
        ("", b'["tench", null]', ["string", "label 1", "found null"]),
        ("", b'["tench", ""]', ["text", "label 1"]),
        ("", b'{"0": "tench", "1": " "}', ["text", "label 1"]),
        ("", b'{"0": ["n01440764", "a", "b"]}', ["string", "label 0", "n01440764"]),
        ("", b'{"0": "tench", "0": "goldfish"}', ["each key once", "'0'"]),
        ("", b'{"tench": 0, "goldfish": 0}', ["one label for each number", "several for 0"]),
        ("", b'{"tench": 0, "goldfish": true}', ["from label to number", "goldfish"]),
        ("", b'{"tench": -1, "goldfish": 0}', ["numbers from 0", "found -1"]),
        ("", b'[{"id": 1, "name": "a"}, {"name": "b"}]', ["a number for every label"]),
        ("", b'["tench",', ["invalid JSON", "column 10"]),
        ("", b'{"tench": ' + b"1" * 5000 + b"}", ["the number of a class", "5000 digits"]),
        ("a.csv", b"id,name\n" + b"1" * 5000 + b",tench\n", ["the number of a class", "5000 digits"]),
        ("", b"[" * 99_999, ["invalid JSON"]),
        ("", b"tench\n\ngoldfish", ["found none on line 2"]),
        ("", b"0 cat\n1 dog\n1 owl", ["one label for each number", "several for 1"]),
        ("", b"names:\n  0: person\n  1: bicycle", ["found YAML", "names:"]),
        ("", b"path: coco\n# all\nnames:\n  0: person", ["found YAML", "names:"]),
        ("", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1", ["git lfs pull"]),
        ("", b"\ntench", ["found none on line 1"]),
        ("", b"tench\rgoldfish", ["printable", "label 0"]),
        ("", b"tench\ngold\x00fish", ["printable", "label 1"]),
        ("", b'["\\ud800"]', ["printable", "label 0"]),
        ("", "crème brûlée".encode("latin-1"), ["UTF-8", "at 2", "save the file as UTF-8"]),
        ("", b"item { id: 1 name: 'person'", ["expected a label map", "at line 1, column "]),
        ("", b"item {\n  id: one\n}", ["expected a label map", "found 'one' at line 2, column 7"]),
        ("", b"item { id: 1 name: '\\xff' }", ["expected a label map", "at line 1, column 27"]),
        ("", gzip.compress(b"cat", mtime=0), ["gzip", "unpack it"]),
        ("", gzip.compress(b"cat", mtime=0)[:9], ["gzip", "unpack it"]),
        ("x.csv", b"id,name\n", ["at least one label"]),
        ("x.csv", b"1,person\n2\n", ["expected 2 columns", "row 2"]),
        ("x.csv", b"1,2\n3,4\n", ["a column with the labels"]),
        ("x.csv", b"<html>", ["expected a JSON list"]),
    ],
)
def test_anything_else_is_an_error_of_one_line_that_says_what_was_found(
    file: str, data: bytes, parts: list[str]
) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse(data, file)

    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert all(part in line for part in parts), line


WORDS = ["item", "{", "}", "id:", "1", ",", "\n", '"', "[", "]", ";", "name", "\t", "é", "\x00", " "]
PIECES = st.lists(st.sampled_from(WORDS) | st.text(max_size=3)).map("".join)


@PROPERTY
@given(text=PIECES, file=st.sampled_from(["", "x.csv"]))
def test_any_text_gives_labels_or_an_error_of_one_line(text: str, file: str) -> None:
    message = ""

    try:
        labels = parse(text.encode("utf-8", "surrogatepass"), file)
        assert all(name.strip() for name in labels.names)
        assert labels.numbers is None or len(labels.numbers) == len(labels.names)
    except ValueError as error:
        message = str(error)

    assert len(message.splitlines()) <= 1


PRINTABLE = (
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1)
    .map(readable)
    .filter(str.strip)
)


@PROPERTY
@given(names=st.lists(PRINTABLE, min_size=1))
def test_a_json_list_is_taken_as_it_is(names: list[str]) -> None:
    assert parse(as_json(names)).names == tuple(names)
