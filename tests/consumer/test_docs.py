"""The READMEs match the code: models, links, modules and reasons."""

import json
import re

from consumer.handlers import HANDLERS
from tests.consumer.conftest import Configure
from tests.parts import ROOT
from tests.pipeline.stamp.test_stamp import REASONS

README = (ROOT / "consumer/README.md").read_text()
STAMP = ROOT / "pipeline/stamp"


def test_the_settings_in_the_examples_are_valid(configure: Configure) -> None:
    shown = re.findall(r"export (\w+)='(.*?)'", README, re.DOTALL)
    names, values = [name for name, _ in shown], [value for _, value in shown]
    assert names == ["MODELURLS", "LABELURLS"] * 2

    for models, labels in zip(values[::2], values[1::2], strict=True):
        settings = configure(MODELURLS=models, LABELURLS=labels)

        assert settings.modelurls.keys() == settings.labelurls.keys()
        assert all((ROOT / place.place).is_file() for place in settings.labelurls.values())


def test_the_options_in_the_examples_are_valid(configure: Configure) -> None:
    keras, login = (
        configure(MODELURLS=models, LABELURLS=json.dumps(dict.fromkeys(json.loads(models), "labels.json")))
        for models in re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    )

    assert keras.modelurls["classify_1"].options.model_dump()["softmax"] is True
    assert login.modelurls["imagenet_1"].login.token_file == "/run/secrets/token"


def test_the_table_has_each_handler_and_each_option_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", README, re.MULTILINE)
    table = {name: dict(re.findall(r"`(\w+)`(?: ([\w./]+))?", options)) for name, options in rows}

    for name, handler in HANDLERS.items():
        fields = handler.Options.model_fields
        assert table[name].keys() == fields.keys()
        for option, text in table[name].items():
            default = 1 / 255 if text == "1/255" else json.loads(text or '""')
            assert default == fields[option].default, f"{name}: {option}"


def test_the_tables_of_stamping_have_each_module_and_each_reason() -> None:
    cells = re.findall(r"^\| (`[^|]+) \|", (STAMP / "README.md").read_text(), re.MULTILINE)
    names = {name for cell in cells for name in re.findall(r"`(\S+)`", cell)}

    assert names == {path.name for path in STAMP.glob("*.py")} | REASONS
