"""Arguments are literals, with a reason for everything else."""

from typing import Any, Literal

import pytest

from training.code.argument_text import arguments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs=5", {"epochs": 5}),
        ("  epochs = 5 , shuffle = True,", {"epochs": 5, "shuffle": True}),
        ("epochs=5,\nverbose='a, b = c'", {"epochs": 5, "verbose": "a, b = c"}),
        ("epochs=1, class_weight={0: 1.5, 1: -2e-3}", {"epochs": 1, "class_weight": {0: 1.5, 1: -0.002}}),
        ("epochs=1, validation_freq=[1, 2, (3, None)]", {"epochs": 1, "validation_freq": [1, 2, [3, None]]}),
        ("epochs=1, steps_per_epoch=None", {"epochs": 1, "steps_per_epoch": None}),
    ],
    ids=["one", "spaces", "commas", "decimals", "lists", "none"],
)
def test_literals_are_values(text: str, expected: dict[str, Any]) -> None:
    assert arguments(text, "tf", "fit") == expected


def test_evaluation_needs_none() -> None:
    assert arguments("", "tf", "val") == {}
    assert arguments(" \n", "pth", "val") == {}
    assert arguments("steps=3", "tf", "val") == {"steps": 3}


def test_pytorch_has_names_of_the_loader_the_trainer_and_the_run() -> None:
    text = "max_epochs=2, num_workers=0, drop_last=False, gradient_accumulation_steps=4"

    assert arguments(text, "pth", "fit") == {
        "max_epochs": 2,
        "num_workers": 0,
        "drop_last": False,
        "gradient_accumulation_steps": 4,
    }


@pytest.mark.parametrize(
    ("text", "use"), [("max_epochs=1, learning_rate=0.1", "fit"), ("max_epochs=1", "val")]
)
def test_names_that_pytorch_would_ignore_are_refused(text: str, use: Literal["fit", "val"]) -> None:
    with pytest.raises(ValueError, match="expected one of amp_mode, "):
        arguments(text, "pth", use)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected epochs=NUMBER, such as epochs=5, found nothing"),
        ("shuffle=True", "expected epochs=NUMBER"),
        ("epochs=0", "epochs=0: expected a whole number from 1 to 2147483647"),
        ("epochs=2147483648", "epochs=2147483648: expected a whole number from 1 to 2147483647"),
        ("epochs=True", "epochs=True: expected a whole number"),
        ("epochs=1.5", "epochs=1.5: expected a whole number"),
        ("epochs=None", "epochs=None: expected a whole number"),
        ("epochs=1, steps_per_epoch=-1", "steps_per_epoch=-1: expected a whole number"),
        ("epochs=1, epochs=2", "epochs is given twice"),
        ("epochs=1, shuffle=true", "shuffle=true: expected True, found a name"),
        ("epochs=1, shuffle=batch", "expected a text in quotes ('batch')"),
        ("5", "5: expected name=value, found a value without a name"),
        ("**{'epochs': 1}", "expected name=value"),
        ("*[1]", "without a name"),
        ("epochs=__import__('os').system('true')", "found an expression"),
        ("epochs=1+2", "found an expression"),
        ("epochs=f'{1}'", "expected a number, text"),
        ("epochs=1, verbose=1e999", "too large"),
        ("epochs=1, verbose=b'x'", "found bytes"),
        ("epochs=1, verbose={1, 2}", "found set"),
        ("epochs=1, verbose=2j", "found complex"),
        ("epochs=1, verbose=...", "found ellipsis"),
        ("epochs=1, class_weight={(1, 2): 1}", "keys are neither"),
        ("epochs=1) or _(epochs=2", "found a closing parenthesis"),
        ("epochs=1).x(epochs=2", "found a closing parenthesis"),
        ("epochs=1)(epochs=2", "found a closing parenthesis"),
        ("epochs=1, nothing=1", "nothing: expected one of"),
        ("epochs=1, batch_size=5", "batch_size: the deployment's field `batch`"),
        ("epochs=1, callbacks=[]", "callbacks: objects"),
        ("epochs=2, initial_epoch=1", "initial_epoch: a training begins with the first"),
        ("epochs=1, workers=4", "workers: Keras 3 no longer has it"),
        ("epochs", "without a name"),
        ("epochs=", "expected name=value"),
        ("epochs=1\0", "expected name=value"),
        ("epochs=" + "[" * 5000, "expected name=value"),
        ("epochs=" + "-" * 5000 + "1", "expected"),
    ],
    ids=range(36),
)
def test_everything_else_has_a_reason(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        arguments(text, "tf", "fit")

    assert expected in str(error.value)
    assert len(str(error.value)) < 300


def test_pytorch_needs_its_own() -> None:
    with pytest.raises(ValueError, match="max_epochs"):
        arguments("epochs=5", "pth", "fit")
