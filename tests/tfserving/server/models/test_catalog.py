"""Configs change which models, versions and labels are served."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from tests.parts import wait_for
from tests.tfserving.server.fakes import FakeModel, lay
from tfserving.server.errors import Code, ServingError
from tfserving.server.models import upkeep
from tfserving.server.models.catalog import Catalog
from tfserving.server.models.model import Model
from tfserving.server.models.versions import Retries, State

ALL = "model_version_policy { all {} }"


def make(name: str) -> Model:
    return Model(name, None, FakeModel, Retries(0, 0))


def config(*models: tuple[str, Path, str]) -> Any:
    """Return the config of models: names, base paths, and further fields."""
    entries = (
        f'config {{ name: "{name}" base_path: "{base}" model_platform: "tensorflow" {fields} }}'
        for name, base, fields in models
    )
    return text_format.Parse(f"model_config_list {{ {' '.join(entries)} }}", ModelServerConfig())


def label(name: str, version: int) -> str:
    return f'version_labels {{ key: "{name}" value: {version} }}'


def states(catalog: Catalog, name: str) -> dict[int, State]:
    return {status.version: status.state for status in catalog.statuses(name)}


def served(catalog: Catalog, name: str, version: int | None = None, label: str | None = None) -> int:
    with catalog.lease(name, version, label) as (number, _):
        return number


def refusal(catalog: Catalog, message: Any) -> tuple[Code, str]:
    with pytest.raises(ServingError) as caught:
        catalog.reload(message, timeout=5)
    return caught.value.code, caught.value.message


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return lay(tmp_path / "base", 1, 2)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    catalog = Catalog(make=make)
    yield catalog
    catalog.close()


def test_a_config_replaces_the_one_before(tmp_path: Path, base: Path, catalog: Catalog) -> None:
    other = lay(tmp_path / "other", 7)

    catalog.reload(config(("a", base, ""), ("b", base, ALL)))
    before = (states(catalog, "a"), states(catalog, "b"))
    catalog.reload(config(("b", base, ""), ("c", other, "")))

    assert before == ({2: State.AVAILABLE}, {2: State.AVAILABLE, 1: State.AVAILABLE})
    assert states(catalog, "a") == {2: State.END}
    assert states(catalog, "b") == {2: State.AVAILABLE, 1: State.END}
    assert states(catalog, "c") == {7: State.AVAILABLE}
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(a\)"):
        served(catalog, "a")


def test_a_model_that_was_removed_is_loaded_again(base: Path, catalog: Catalog) -> None:
    catalog.reload(config(("a", base, "")))
    catalog.reload(config())
    gone = states(catalog, "a")
    catalog.poll()
    still_gone = states(catalog, "a")
    catalog.reload(config(("a", base, "")))

    assert gone == still_gone == {2: State.END}
    assert served(catalog, "a") == 2


def test_a_model_may_move_to_another_folder(tmp_path: Path, base: Path, catalog: Catalog) -> None:
    catalog.reload(config(("a", base, "")))

    catalog.reload(config(("a", lay(tmp_path / "other", 9), "")))
    there = states(catalog, "a")
    catalog.reload(config(("a", base, "")))

    assert there == {9: State.AVAILABLE, 2: State.END}
    assert states(catalog, "a") == {9: State.END, 2: State.AVAILABLE}


def test_labels_name_versions(base: Path, catalog: Catalog) -> None:
    catalog.reload(config(("a", base, ALL)))

    catalog.reload(config(("a", base, ALL + label("stable", 1) + label("canary", 2))))

    assert served(catalog, "a", label="stable") == 1
    assert served(catalog, "a", label="canary") == 2
    assert served(catalog, "a") == 2

    catalog.reload(config(("a", base, ALL + label("stable", 2))))

    assert served(catalog, "a", label="stable") == 2
    with pytest.raises(ServingError, match="Unrecognized servable version label: canary") as caught:
        served(catalog, "a", label="canary")
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_a_label_can_only_name_an_available_version(base: Path, catalog: Catalog) -> None:
    with_label = config(("a", base, ALL + label("stable", 1)))
    first = refusal(catalog, with_label)
    catalog.reload(config(("a", base, ALL)))
    catalog.reload(with_label)

    wrong = refusal(catalog, config(("a", base, ALL + label("stable", 77)), ("b", base, "")))

    text = "Request to assign label to version {} of model a, which is not currently available for inference"
    assert first == (Code.FAILED_PRECONDITION, text.format(1))
    assert wrong == (Code.FAILED_PRECONDITION, text.format(77))
    assert served(catalog, "a", label="stable") == 1
    with pytest.raises(ServingError, match="Could not find any versions of model b"):
        catalog.statuses("b")


def test_a_flag_lets_new_labels_name_any_version(base: Path) -> None:
    catalog = Catalog(make=make, allow_unavailable_labels=True)

    catalog.reload(config(("a", base, ALL + label("stable", 1) + label("next", 3))))
    moved = refusal(catalog, config(("a", base, ALL + label("stable", 3) + label("next", 3))))

    assert moved[0] == Code.FAILED_PRECONDITION
    assert served(catalog, "a", label="stable") == 1
    with pytest.raises(ServingError, match=r"Servable not found for request: Specific\(a, 3\)"):
        served(catalog, "a", label="next")

    lay(base, 3)
    catalog.poll()
    catalog.reload(config(("a", base, ALL + label("stable", 3) + label("next", 1))))

    assert served(catalog, "a", label="stable") == 3
    assert served(catalog, "a", label="next") == 1


def test_a_refused_config_changes_nothing(base: Path, catalog: Catalog) -> None:
    catalog.reload(config(("a", base, ALL)))
    catalog.reload(config(("a", base, ALL + label("stable", 1))))

    codes = {
        refusal(catalog, message)[0]
        for message in (
            config(("a", base, label("stable", 2)), ("a", base, "")),
            config(("a", base, label("stable", 2)), ("b", Path("relative"), "")),
            text_format.Parse(
                f'model_config_list {{ config {{ name: "b" base_path: "{base}" model_platform: "x" }} }}',
                ModelServerConfig(),
            ),
        )
    }

    assert codes == {Code.INVALID_ARGUMENT}
    assert states(catalog, "a") == {2: State.AVAILABLE, 1: State.AVAILABLE}
    assert served(catalog, "a", label="stable") == 1


def test_only_lists_of_models_are_configs(base: Path, catalog: Catalog) -> None:
    custom = ModelServerConfig()
    custom.custom_model_config.SetInParent()

    first = refusal(catalog, custom)
    catalog.reload(ModelServerConfig())
    catalog.reload(config(("a", base, "")))

    assert first == (Code.UNIMPLEMENTED, "ModelServer does not yet support custom model config.")
    for message in (custom, ModelServerConfig()):
        assert refusal(catalog, message) == (
            Code.FAILED_PRECONDITION,
            "Cannot transition to requested config. It is only legal to transition from one ModelConfigList"
            " to another.",
        )
    assert served(catalog, "a") == 2


def test_a_new_model_that_cannot_be_loaded_is_reported(tmp_path: Path, base: Path, catalog: Catalog) -> None:
    broken = lay(tmp_path / "broken", 4, broken=True)
    catalog.reload(config(("a", base, "")))

    assert refusal(catalog, config(("a", base, ""), ("b", broken, ""))) == (
        Code.UNKNOWN,
        "1 model(s) did not become available: {{{name: b version: 4} due to error: DATA_LOSS: broken}, }",
    )
    assert served(catalog, "a") == 2


def test_a_reload_has_a_time_limit(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(ServingError, match=r"Not available after 0.1 s: a") as caught:
        catalog.reload(config(("a", tmp_path / "none", "")), timeout=0.1)
    assert caught.value.code == Code.DEADLINE_EXCEEDED


def test_a_reload_stops_waiting_when_another_replaces_it(
    tmp_path: Path, base: Path, catalog: Catalog
) -> None:
    waiting = threading.Thread(target=catalog.reload, args=(config(("a", tmp_path / "none", "")),))
    waiting.start()
    waiting.join(0.2)
    waited = waiting.is_alive()

    catalog.reload(config(("b", base, "")))
    waiting.join(5)

    assert waited
    assert not waiting.is_alive()
    assert served(catalog, "b") == 2


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (("x",), Code.NOT_FOUND, r"Servable not found for request: Latest\(x\)"),
        (("x", 7), Code.NOT_FOUND, r"Servable not found for request: Specific\(x, 7\)"),
        (("a", 7), Code.NOT_FOUND, r"Servable not found for request: Specific\(a, 7\)"),
        (("a", None, "stable"), Code.INVALID_ARGUMENT, "Unrecognized servable version label: stable"),
        (("x", None, "stable"), Code.INVALID_ARGUMENT, "Unrecognized servable version label: stable"),
    ],
)
def test_missing_models_versions_and_labels_are_reported(
    base: Path, catalog: Catalog, asked: tuple[Any, ...], code: Code, message: str
) -> None:
    catalog.reload(config(("a", base, "")))

    with pytest.raises(ServingError, match=message) as caught:
        served(catalog, *asked)
    assert caught.value.code == code


def test_the_status_of_an_unknown_model_or_version_is_not_found(base: Path, catalog: Catalog) -> None:
    catalog.reload(config(("a", base, "")))

    assert [status.version for status in catalog.statuses("a", 2)] == [2]
    with pytest.raises(ServingError, match="Could not find any versions of model x"):
        catalog.statuses("x")
    with pytest.raises(ServingError, match="Could not find version 9 of model a"):
        catalog.statuses("a", 9)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_waiting_ends_when_the_models_are_available(
    tmp_path: Path, base: Path, catalog: Catalog, stop: threading.Event
) -> None:
    catalog.reconfigure(config(("a", tmp_path / "late", ""), ("b", base, "")))
    threading.Thread(target=upkeep.keep_polling, args=(catalog, stop, 0.01)).start()
    waiting = threading.Thread(target=catalog.wait_until_available, args=(stop,))
    waiting.start()
    waiting.join(0.2)
    waited = waiting.is_alive()

    lay(tmp_path / "late", 1)
    waiting.join(5)

    assert waited
    assert not waiting.is_alive()
    assert served(catalog, "a") == 1


def test_waiting_ends_when_the_server_stops(tmp_path: Path, catalog: Catalog, stop: threading.Event) -> None:
    catalog.reconfigure(config(("a", tmp_path, "")))
    stop.set()

    catalog.wait_until_available(stop)

    with pytest.raises(ServingError):
        catalog.statuses("a")


def test_waiting_fails_when_loads_have_failed_for_good(
    tmp_path: Path, base: Path, catalog: Catalog, stop: threading.Event
) -> None:
    broken = lay(tmp_path / "broken", 1, broken=True)
    catalog.reconfigure(config(("c", broken, ""), ("a", broken, ""), ("b", base, "")))

    with pytest.raises(ServingError) as caught:
        catalog.wait_until_available(stop)
    assert caught.value.code == Code.UNKNOWN
    assert caught.value.message == (
        "2 servable(s) did not become available:"
        " {{{name: a version: 1} due to error: DATA_LOSS: broken},"
        " {{name: c version: 1} due to error: DATA_LOSS: broken}, }"
    )


def test_without_an_interval_folders_are_checked_once(
    base: Path, catalog: Catalog, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.01)
    catalog.reload(config(("a", base, "")))
    polling = threading.Thread(target=upkeep.keep_polling, args=(catalog, stop, 0))
    polling.start()

    lay(base, 3)
    polling.join(0.2)

    assert states(catalog, "a") == {2: State.AVAILABLE}


def test_retries_do_not_wait_for_the_next_check(
    tmp_path: Path, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.01)
    catalog = Catalog(make=lambda name: Model(name, None, FakeModel, Retries(5, 0.1)))
    base = lay(tmp_path, 1, broken=True)
    catalog.reconfigure(config(("a", base, "")))
    (base / "1/broken").unlink()
    threading.Thread(target=upkeep.keep_polling, args=(catalog, stop, 0)).start()

    catalog.wait_until_available(stop)

    assert states(catalog, "a") == {1: State.AVAILABLE}


def test_labels_move_and_versions_go_without_a_failed_request(base: Path, catalog: Catalog) -> None:
    catalog.reload(config(("a", base, ALL)))
    catalog.reload(config(("a", base, ALL + label("stable", 1))))
    done, failures, count = threading.Event(), [], [0] * 4

    def ask(i: int) -> None:
        while not done.is_set():
            try:
                with catalog.lease("a", label="stable") as (_, model):
                    assert isinstance(model, FakeModel)
                    assert not model.closed
                count[i] += 1
                time.sleep(0.001)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for number in [2, 1] * 5:
        # The label moves, and the version it came from goes, in one step; then that one comes back.
        only = f"model_version_policy {{ specific {{ versions: {number} }} }}"
        catalog.reload(config(("a", base, only + label("stable", number))))
        catalog.reload(config(("a", base, ALL + label("stable", number))))
        wait_for(lambda: set(states(catalog, "a").values()) == {State.AVAILABLE}, 5, "both versions")
    done.set()
    for thread in threads:
        thread.join(5)

    assert failures == []
    assert min(count) > 0


def test_a_config_file_is_reread_periodically(
    tmp_path: Path, base: Path, catalog: Catalog, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "models.config"
    file.write_text(str(config(("a", base, ""))))
    reading = threading.Thread(target=upkeep.keep_reading, args=(catalog, file, stop, 0.01))
    reading.start()
    seen = []
    for text, sign in (
        (str(config(("a", base, ""))), "successfully"),
        ("nonsense", "Failed to read ModelServerConfig file: Invalid protobuf file: "),
        (str(config(("a", base, label("stable", 9)))), "failed to ReloadConfig: Request to assign label"),
    ):
        file.write_text(text)
        reading.join(0.2)
        seen.append((served(catalog, "a"), sign in caplog.text))
    file.unlink()
    reading.join(0.1)

    assert [number for number, _ in seen] == [2, 2, 2]
    assert [logged for _, logged in seen[1:]] == [True, True]
    assert reading.is_alive()
    assert "; No such file or directory" in caplog.text
