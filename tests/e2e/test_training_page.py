"""The pages of the training service, in both browsers at once: from one click to predictions."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest

from tests.e2e.conftest import Window
from tests.e2e.test_browsers import click, texts
from tests.e2e.test_changes import enter, press
from tests.e2e.training_site import (
    LISTS,
    SOON,
    Site,
    confirm,
    each_window,
    follow,
    made_of_digits,
    photo,
    says,
    show,
    start,
    unexpected,
    value_of,
)
from tests.parts import get, wait_for
from training.code import Program, build
from training.example.digits import CODE

__all__ = ["each_window"]

TRAINED: Final = 170.0
"""s that a training may take on a busy machine: it starts TensorFlow twice."""

NOTE_THE_END: Final = """(() => {
  const state = document.querySelector(".state");
  new MutationObserver((_, observer) => {
    if (state.textContent !== "Finished") return;
    observer.disconnect();
    const acts = [...document.querySelectorAll("main td button")];
    window.atTheEnd = acts.filter((each) => each.getClientRects().length).map((each) => each.textContent);
  }).observe(state, { childList: true, characterData: true, subtree: true });
  return null;
})()"""
"""Keeps what can be done with versions at the moment when a page says that the training has finished."""

PREDICTIONS: Final = "digits-example-predictions"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A training service, without rows at first."""
    with ExitStack() as stack:
        yield start(stack, tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def made(site: Site) -> dict[str, Any]:
    """A deployment of the example whose training was stopped."""
    return made_of_digits(site)


def test_empty_lists_say_what_to_do_next(site: Site, windows: tuple[Window, Window]) -> None:
    assert b"<!doctype html>" in get(site.address)
    for window in windows:
        for name in LISTS:
            assert site.get(f"{name}/") == []
            show(window, site, name)
            wait_for(lambda: texts(window, "main .message .heading"), SOON, name)  # noqa: B023
            assert len(texts(window, "main .message .lead")[0]) > 40
            assert texts(window, "main .message a")
            assert texts(window, ".nav-link[aria-current=page]")
        assert unexpected(window) == []


@pytest.mark.timeout(600)
def test_the_example_goes_from_one_click_to_predictions(site: Site, windows: tuple[Window, Window]) -> None:
    one, other = windows
    show(one, site)
    photo(one, "start")
    press(one, "Try the example")
    says(one, ".page-title", "digits example, result 1", 60)
    show(other, site, "results/1")

    for window in windows:
        curves = "document.querySelectorAll('.chart canvas').length"
        wait_for(lambda: window.evaluate(curves) == 2, TRAINED, "curves")  # noqa: B023
        window.evaluate(NOTE_THE_END)
    photo(one, "running")
    for window in windows:
        says(window, ".state", "Finished", TRAINED)
        assert window.evaluate("window.atTheEnd") == ["Promote", "Delete"], "the version is there at once"
    (result,) = site.get("results/")
    assert result["test_metrics"]["accuracy"][-1] >= 0.9
    for window in windows:
        wait_for(lambda: len(texts(window, ".matrix-cell")) == 100, SOON, "the matrix")  # noqa: B023
        assert sum(int(each or 0) for each in texts(window, ".matrix-cell")) == 179
        click(window, ".log-card summary")
        says(window, ".log-text", "has its model")
        photo(window, "finished")
    assert get(f"{site.address}results/model/1").startswith((b"\x89HDF", b"PK"))

    follow(other, "Predict")
    wait_for(lambda: value_of(other, "input_topic") == "digits-example-input", SOON, "the form to be filled")
    assert '"8 8"' in value_of(other, "input_config")
    enter(other, replicas="0")
    press(other, "Start")
    says(other, ".field-error", "greater than")
    enter(other, replicas="1")
    press(other, "Start")
    says(other, ".page-title", "Visualisation")
    show(one, site, f"visualisation?topic={PREDICTIONS}")
    wait_for(lambda: site.get("inferences/")[0]["state"] == "ready", TRAINED, "the inference")
    press(other, "Send ten digits")
    for window in windows:
        wait_for(lambda: len("".join(texts(window, ".sequence")).split()) == 10, 60, "ten")  # noqa: B023
        photo(window, "predictions")
    says(other, "[role=status]", "of 10 are right")
    sent, said = texts(other, ".digit-label"), texts(other, ".digit-said")
    right = [label == prediction[2:] for label, prediction in zip(sent, said, strict=True)]
    # The predictions come from three partitions. With ten digits, an accuracy of 0.9 may well miss some.
    assert sum(right) >= 6
    assert [prediction[0] == "✓" for prediction in said] == right
    names = other.evaluate(
        "[...document.querySelectorAll('.digit-picture')].map((each) => each.getAttribute('aria-label'))"
    )
    ends = [
        f"{prediction[2:]}: {'right' if is_right else 'wrong'}"
        for prediction, is_right in zip(said, right, strict=True)
    ]
    assert names == [f"A handwritten {label}, taken for {end}" for label, end in zip(sent, ends, strict=True)]
    says(other, "[role=status]", f"{sum(right)} of 10 are right")

    for window in windows:
        show(window, site, "inferences")
        says(window, ".figures-note", "10 answers")
    confirm(one, "Stop")
    for window in windows:
        says(window, ".figures-words", "Stopped")
    confirm(other, "Delete")
    for window in windows:
        says(window, "main .heading", "No inferences yet")
        assert unexpected(window) == []


def test_a_configuration_is_made_trained_stopped_and_deleted(
    site: Site, made: dict[str, Any], window: Window
) -> None:
    name = f"second in {type(window).__name__.lower()}"
    show(window, site, "configurations/new")
    wait_for(lambda: texts(window, ".box"), SOON, "the models")
    press(window, "Save")
    says(window, ".field-error, .problem", "at least")
    enter(window, name="digits/example")
    click(window, ".box input")
    press(window, "Save")
    says(window, ".field-error", "without /")
    enter(window, name=made["configuration"]["name"])
    press(window, "Save")
    says(window, ".field-error", "already")
    enter(window, name=name)
    press(window, "Save")
    says(window, ".figures-link", name)

    (chosen,) = (each["id"] for each in site.get("configurations/") if each["name"] == name)
    show(window, site, f"deployments/new?configuration={chosen}")
    wait_for(lambda: value_of(window, "configuration") == str(chosen), SOON, "the configuration")
    enter(window, tf_kwargs_fit="epochs=none", batch="0")
    press(window, "Start")
    says(window, ".field-error", "greater than 0")
    enter(window, batch="8")
    press(window, "Start")
    says(window, ".field-error, .problem", "epochs")
    enter(window, tf_kwargs_fit="epochs=3, verbose=2")
    press(window, "Start")
    says(window, ".sample", "RawSink")
    says(window, ".state", "Waits for data", 60)
    (deployment,) = site.get(f"deployments/{chosen}")
    sent = [deployment[name] for name in ("batch", "tf_kwargs_fit", "pth_kwargs_fit")]
    assert sent == [8, "epochs=3, verbose=2", ""]

    confirm(window, "Stop")
    says(window, ".state", "Stopped")
    # The button that was clicked is gone, but the keyboard stays where it was.
    wait_for(
        lambda: window.evaluate("document.activeElement.textContent") == "Delete", SOON, "the focus to stay"
    )
    confirm(window, "Delete")
    says(window, ".page-title", "Results")
    (result,) = deployment["results"]
    wait_for(
        lambda: result["id"] not in {each["id"] for each in site.get("results/")}, SOON, "it to be deleted"
    )
    assert unexpected(window) == []


def test_a_stream_is_sent_again(site: Site, made: dict[str, Any], window: Window) -> None:
    again = site.send("POST", "deployments/", {"configuration": made["configuration"]["id"]})
    before = len(site.get("datasources/"))

    show(window, site, "datasources")
    says(window, ".figures-link", "handwritten digits")
    press(window, "Send again")
    assert value_of(window, "again") == str(again["id"])
    # Others have what they need, or were stopped.
    assert window.evaluate("document.querySelector('#field-again').options.length") == 1
    window.evaluate("(document.querySelector('#confirm .main').click(), null)")

    wait_for(lambda: len(texts(window, ".figures-link")) == before + 1, SOON, "another row")
    rows = site.get("datasources/")
    assert rows[0]["deployment"] == str(again["id"])
    assert rows[0]["topic"] in {each["topic"] for each in rows[1:]}
    site.send("POST", f"results/stop/{again['results'][0]['id']}")
    assert unexpected(window) == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with a model of the example's code, in base64."""
    build(Program("tf", "", CODE), file := tmp_path_factory.mktemp("trained") / "model.h5")
    return base64.b64encode(file.read_bytes()).decode()


@pytest.mark.usefixtures("made")
def test_a_model_is_imported_and_compared(site: Site, window: Window, trained: str) -> None:
    before = {each["id"] for each in site.get("results/")}
    show(window, site, "import")
    wait_for(lambda: value_of(window, "configuration"), SOON, "the form")
    press(window, "Import")
    says(window, ".field-error", "Choose a file")

    nothing = base64.b64encode(b"no model").decode()
    for loss, content in ((0.5, nothing), (0.5, trained), (0.25, trained)):
        show(window, site, "import")
        wait_for(lambda: value_of(window, "configuration"), SOON, "the form")
        metrics = {"train_metrics": {"loss": [1, loss]}, "confusion_matrix": [[3, 1], [0, 2]]}
        enter(window, metrics=json.dumps(metrics))
        window.evaluate(
            f"""(() => {{
              const found = new DataTransfer();
              const bytes = Uint8Array.from(atob('{content}'), (each) => each.charCodeAt(0));
              found.items.add(new File([bytes], 'model.h5'));
              document.querySelector('#field-file').files = found.files;
              return null;
            }})()"""
        )
        press(window, "Import")
        if content == nothing:
            says(window, ".field-error", "Expected a Keras file")
        else:  # once the model was loaded
            says(window, ".state", "Finished", 120)
    says(window, ".chart-line", "Training")

    second, first = (each for each in site.get("results/") if each["id"] not in before)
    # The data say what the classes are called.
    data = {"deployment": str(first["deployment"]["id"]), "input_format": "JPEG", "topic": "frames:0:0:6"}
    labels = json.dumps({"labels": ["cat", "dog"], "size": [8, 8]})
    site.send("POST", "datasources/", {**data, "input_config": labels, "total_msg": 6})
    show(window, site, f"results/{first['id']}")
    says(window, ".matrix th", "dog")
    assert texts(window, ".matrix-cell") == ["3", "1", "", "2"]

    show(window, site, f"compare/{first['id']}/{second['id']}")
    says(window, ".plain th", "loss, training")
    assert {"0.5000", "0.2500"} <= {*texts(window, ".plain td")}
    wait_for(
        lambda: window.evaluate("document.querySelectorAll('.chart canvas').length") == 1, SOON, "the curves"
    )
    photo(window, "compare")
    # Without a second result, nothing of it stays.
    chosen = "document.querySelector('#field-second')"
    window.evaluate(f"({chosen}.value = '', {chosen}.dispatchEvent(new Event('change')), null)")
    says(window, ".soft", "Choose two results")
    wait_for(
        lambda: not window.evaluate("document.querySelector('.charts').getClientRects().length"), SOON, "none"
    )
    assert unexpected(window) == []
