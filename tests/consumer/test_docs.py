"""The README and the handlers agree about models."""

import json
import re

from consumer.handlers import HANDLERS
from tests.consumer.conftest import Configure
from tests.parts import ROOT

README = (ROOT / "consumer/README.md").read_text()


def test_the_settings_in_the_readme_are_valid(configure: Configure) -> None:
    shown = re.findall(r"export (\w+)='(.*?)'", README, re.DOTALL)
    names, values = [name for name, _ in shown], [value for _, value in shown]
    assert names == ["MODELURLS", "LABELURLS"] * 2

    for models, labels in zip(values[::2], values[1::2], strict=True):
        settings = configure(MODELURLS=models, LABELURLS=labels)

        assert settings.modelurls.keys() == settings.labelurls.keys()
        assert all((ROOT / path).is_file() for path in settings.labelurls.values())


def test_the_options_in_the_readme_are_valid(configure: Configure) -> None:
    (models,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)

    settings = configure(
        MODELURLS=models, LABELURLS=json.dumps(dict.fromkeys(json.loads(models), "labels.json"))
    )

    assert settings.modelurls["classify_1"].options.model_dump()["softmax"] is True


def test_the_table_has_each_handler_and_each_option_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", README, re.MULTILINE)
    table = {name: dict(re.findall(r"`(\w+)`(?: ([\w./]+))?", options)) for name, options in rows}

    for name, handler in HANDLERS.items():
        fields = handler.Options.model_fields
        assert table[name].keys() == fields.keys()
        for option, text in table[name].items():
            default = 1 / 255 if text == "1/255" else json.loads(text or '""')
            assert default == fields[option].default, f"{name}: {option}"
