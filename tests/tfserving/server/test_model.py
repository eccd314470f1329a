"""Versions are loaded, lent and unloaded as the folder changes."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tfserving.server import versions
from tfserving.server.catalog import Catalog
from tfserving.server.errors import Code, ServingError
from tfserving.server.model import Model
from tfserving.server.saved import SavedModel
from tfserving.server.versions import Retries, State


class FakeModel(SavedModel):
    """A model that only remembers whether it was closed; a folder with a file named broken holds none."""

    def __init__(self, folder: Path) -> None:
        self.closed = False
        if (folder / "broken").exists():
            raise ServingError(Code.DATA_LOSS, "broken")

    def close(self) -> None:
        self.closed = True


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model(tmp_path: Path, clock: Clock) -> Model:
    return Model("m", tmp_path, FakeModel, Retries(2, 60), clock)


def states(model: Model) -> dict[int, State]:
    return {status.version: status.state for status in model.statuses()}


def test_only_whole_numbers_are_versions(tmp_path: Path) -> None:
    for name in ("1", "00000123", "-1", "1.0", "x", ".2", "٣", str(2**63)):
        (tmp_path / name).mkdir()
    (tmp_path / "7").touch()

    assert set(versions.find(tmp_path)) == {1, 123}


def test_the_highest_version_is_served(tmp_path: Path, model: Model) -> None:
    for name in ("2", "10"):
        (tmp_path / name).mkdir()

    model.poll()

    assert states(model) == {10: State.AVAILABLE}
    with model.lease() as (number, _), model.lease(10):
        assert number == 10
    with (
        pytest.raises(ServingError, match=r"Servable not found for request: Specific\(m, 2\)"),
        model.lease(2),
    ):
        pass


def test_a_new_version_replaces_the_old_one(tmp_path: Path, model: Model) -> None:
    (tmp_path / "1").mkdir()
    model.poll()
    with model.lease() as (_, old):
        pass

    (tmp_path / "2").mkdir()
    model.poll()

    assert states(model) == {2: State.AVAILABLE, 1: State.END}
    assert isinstance(old, FakeModel)
    assert old.closed


def test_an_old_version_is_kept_until_its_requests_end(tmp_path: Path, model: Model) -> None:
    (tmp_path / "1").mkdir()
    model.poll()
    (tmp_path / "2").mkdir()
    poll = threading.Thread(target=model.poll)

    with model.lease() as (number, old):
        poll.start()
        poll.join(0.2)
        during = states(model)
        assert isinstance(old, FakeModel)
        closed = old.closed
    poll.join(5)

    assert number == 1
    assert during == {2: State.AVAILABLE, 1: State.UNLOADING}
    assert not closed
    assert old.closed


def test_a_version_that_cannot_be_loaded_is_tried_again_while_the_old_one_serves(
    tmp_path: Path, model: Model, clock: Clock
) -> None:
    (tmp_path / "1").mkdir()
    model.poll()
    (tmp_path / "2").mkdir()
    (tmp_path / "2/broken").touch()

    seen = []
    for clock.now in (0, 30, 60, 119, 120, 500):
        model.poll()
        seen.append(states(model)[2])

    assert seen == [State.LOADING] * 4 + [State.END] * 2
    assert states(model)[1] == State.AVAILABLE
    failed = model.statuses()[0]
    assert (failed.version, failed.code, failed.message) == (2, Code.DATA_LOSS, "broken")


def test_a_failed_version_is_begun_anew_after_its_folder_was_away(
    tmp_path: Path, model: Model, clock: Clock
) -> None:
    broken = tmp_path / "1" / "broken"
    broken.parent.mkdir()
    broken.touch()
    for clock.now in (0, 60, 120):
        model.poll()
    broken.unlink()
    model.poll()
    before = states(model)

    broken.parent.rmdir()
    model.poll()
    broken.parent.mkdir()
    model.poll()

    assert before == {1: State.END}
    assert states(model) == {1: State.AVAILABLE}


def test_all_is_unloaded_without_versions_and_nothing_changes_without_the_folder(
    tmp_path: Path, clock: Clock
) -> None:
    base = tmp_path / "base"
    (base / "1").mkdir(parents=True)
    model = Model("m", base, FakeModel, Retries(), clock)
    model.poll()

    base.rename(tmp_path / "away")
    model.poll()
    without_folder = states(model)
    base.mkdir()
    model.poll()

    assert without_folder == {1: State.AVAILABLE}
    assert states(model) == {1: State.END}
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(m\)"), model.lease():
        pass


def test_a_catalog_finds_models_by_name(tmp_path: Path, model: Model) -> None:
    (tmp_path / "3").mkdir()
    catalog = Catalog([model])
    catalog.poll()

    with catalog.lease("m") as (number, _):
        assert number == 3
    assert [status.version for status in catalog.statuses("m", 3)] == [3]


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (("x",), Code.NOT_FOUND, r"Servable not found for request: Latest\(x\)"),
        (("x", 7), Code.NOT_FOUND, r"Servable not found for request: Specific\(x, 7\)"),
        (("m", None, "stable"), Code.INVALID_ARGUMENT, "Unrecognized servable version label: stable"),
    ],
)
def test_a_catalog_says_what_it_does_not_have(
    model: Model, asked: tuple[Any, ...], code: Code, message: str
) -> None:
    with pytest.raises(ServingError, match=message) as caught, Catalog([model]).lease(*asked):
        pass

    assert caught.value.code == code


def test_the_status_of_what_was_never_managed_is_not_found(tmp_path: Path, model: Model) -> None:
    (tmp_path / "3").mkdir()
    catalog = Catalog([model])
    catalog.poll()

    with pytest.raises(ServingError, match="Could not find any versions of model x"):
        catalog.statuses("x")
    with pytest.raises(ServingError, match="Could not find version 9 of model m"):
        catalog.statuses("m", 9)


def test_waiting_ends_when_the_model_is_there(tmp_path: Path, model: Model) -> None:
    stop = threading.Event()
    waiting = threading.Thread(target=Catalog([model]).wait_until_available, args=(stop, 0.01))
    waiting.start()
    waiting.join(0.1)
    waited = waiting.is_alive()

    (tmp_path / "1").mkdir()
    waiting.join(5)

    assert waited
    assert states(model) == {1: State.AVAILABLE}


def test_waiting_ends_when_told_to_stop(model: Model) -> None:
    stop = threading.Event()
    stop.set()

    Catalog([model]).wait_until_available(stop, 60)

    assert states(model) == {}


def test_waiting_fails_when_the_first_load_has_failed_for_good(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/broken").touch()
    catalog = Catalog([Model("m", tmp_path, FakeModel, Retries(0, 0), clock)])

    with pytest.raises(ServingError, match=r"1 servable\(s\) did not become available: .*broken"):
        catalog.wait_until_available(threading.Event(), 0.01)
