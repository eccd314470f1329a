"""The README lists every flag."""

import re
from dataclasses import fields

from tests.parts import ROOT
from tfserving.server.flags import IGNORED, Flags


def test_each_flag_is_documented_with_its_default() -> None:
    text = (ROOT / "tfserving/server/README.md").read_text().partition("\n### Flags\n")[2]
    rows = dict(re.findall(r"^\| `--(\w+)` \| ([^|]*?) ?\|", text, re.MULTILINE))
    ignored = set(
        re.findall(r"`--(\w+)`", text.partition("accepted and change nothing: ")[2].partition(".")[0])
    )

    defaults = {
        each.name: "" if each.default == "" or each.name == "version" else str(each.default).lower()
        for each in fields(Flags)
        if each.metadata["text"] != IGNORED
    }
    assert {name: value.strip("`") for name, value in rows.items() if value != "4 per core"} == {
        name: value for name, value in defaults.items() if rows.get(name) != "4 per core"
    }
    assert ignored == {each.name for each in fields(Flags)} - set(defaults)
