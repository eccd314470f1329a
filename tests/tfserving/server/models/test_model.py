"""Versions are loaded, used and unloaded as the folder changes."""

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.parts import wait_for
from tests.tfserving.server.fakes import Clock, FakeModel, lay
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel
from tfserving.server.models import versions
from tfserving.server.models.model import Model
from tfserving.server.models.policy import Policy
from tfserving.server.models.versions import Retries, State


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model(tmp_path: Path, clock: Clock) -> Model:
    return Model("m", tmp_path, FakeModel, Retries(2, 60), clock=clock)


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

    with model.lease() as (number, old):
        model.poll()
        during = states(model)
        assert isinstance(old, FakeModel)
        closed = old.closed
        with pytest.raises(ServingError, match=r"Specific\(m, 1\)"), model.lease(1):
            pass

    assert number == 1
    assert during == {2: State.AVAILABLE, 1: State.UNLOADING}
    assert not closed
    assert old.closed
    assert states(model) == {2: State.AVAILABLE, 1: State.END}


def test_a_version_that_returns_while_it_is_unloaded_is_loaded_again(tmp_path: Path, model: Model) -> None:
    lay(tmp_path, 1, 2)
    model.configure(tmp_path, Policy(None, frozenset({1})))
    model.poll()

    with model.lease(1) as (_, old):
        model.configure(tmp_path, Policy(None, frozenset({2})))
        model.poll()
        model.configure(tmp_path, Policy(None, frozenset({1})))
        model.poll()
        during = states(model)

    assert during == {2: State.AVAILABLE, 1: State.UNLOADING}
    assert states(model) == {2: State.END, 1: State.AVAILABLE}
    with model.lease(1) as (_, new):
        assert new is not old


def test_nothing_waits_for_a_load_or_for_a_request(tmp_path: Path) -> None:
    loads: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    model = Model("m", lay(tmp_path, 1, 2), FakeModel, Retries(), submit_load=loads.put)

    model.poll()
    model.poll()
    begun = states(model)
    jobs = loads.qsize()
    loads.get()()

    assert begun == {2: State.LOADING}
    assert jobs == 1
    assert states(model) == {2: State.AVAILABLE}


def test_a_load_in_another_thread_does_not_hold_up_requests(tmp_path: Path) -> None:
    begun, go_on = Event(), Event()

    def load(folder: Path) -> SavedModel:
        if folder.name == "2":
            begun.set()
            assert go_on.wait(10)
        return FakeModel(folder)

    with ThreadPoolExecutor(2) as threads:
        model = Model(
            "m", lay(tmp_path, 1), load, Retries(), submit_load=threads.submit, submit_unload=threads.submit
        )
        model.poll()
        wait_for(model.is_available, 5, "the first version")
        lay(tmp_path, 2)
        model.poll()
        assert begun.wait(5)
        with model.lease() as (number, _):
            during = (number, states(model))
        go_on.set()
        wait_for(lambda: states(model)[1] == State.END, 5, "the old version's end")

    assert during == (1, {2: State.LOADING, 1: State.AVAILABLE})
    assert states(model) == {2: State.AVAILABLE, 1: State.END}


def test_a_version_that_was_removed_during_its_load_is_unloaded_afterwards(tmp_path: Path) -> None:
    loads: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    model = Model("m", lay(tmp_path, 1), FakeModel, Retries(), submit_load=loads.put)
    model.poll()

    model.configure(None, Policy())
    during = states(model)
    loads.get()()

    assert during == {1: State.LOADING}
    assert states(model) == {1: State.END}


def test_a_failed_load_becomes_the_status_of_the_version(tmp_path: Path) -> None:
    def load(folder: Path) -> SavedModel:
        raise ZeroDivisionError(folder.name)

    model = Model("m", lay(tmp_path, 1), load, Retries(0, 0))
    model.poll()

    (status,) = model.statuses()
    assert (status.state, status.code, status.message) == (
        State.END,
        Code.INTERNAL,
        "ZeroDivisionError: 1",
    )


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        (Policy(), {10}),
        (Policy(2), {10, 3}),
        (Policy(9), {1, 3, 10}),
        (Policy(None), {1, 3, 10}),
        (Policy(None, frozenset({1, 3})), {1, 3}),
        (Policy(None, frozenset({3, 77})), {3}),
        (Policy(None, frozenset()), set()),
    ],
)
def test_policies(tmp_path: Path, model: Model, policy: Policy, served: set[int]) -> None:
    lay(tmp_path, 1, 3, 10)

    model.configure(tmp_path, policy)
    model.poll()

    assert states(model) == dict.fromkeys(served, State.AVAILABLE)


def test_a_version_that_a_policy_does_not_find_is_logged(
    tmp_path: Path, model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    model.configure(lay(tmp_path, 1), Policy(None, frozenset({77})))

    model.poll()

    assert "Version 77 of servable m, which was requested to be served as a 'specific'" in caplog.text
    assert "Did you forget to name your leaf directory as a number (eg. '/1/')?" in caplog.text


def test_only_one_of_two_folders_for_a_version_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1", "001"):
        (tmp_path / name).mkdir()

    assert versions.find(tmp_path) == {1: tmp_path / "1"}
    assert "Version 1 will be loaded from 1, 001 will be ignored." in caplog.text


def test_the_old_version_serves_until_the_new_one_is_available(tmp_path: Path, model: Model) -> None:
    lay(tmp_path, 1)
    model.poll()
    lay(tmp_path, 2, 3, broken=True)

    model.configure(tmp_path, Policy(2))
    model.poll()
    before = states(model)
    lay(tmp_path, 4)
    model.poll()

    assert before == {3: State.LOADING, 2: State.LOADING, 1: State.AVAILABLE}
    assert states(model) == {4: State.AVAILABLE, 3: State.LOADING, 2: State.END, 1: State.END}


def test_a_failed_load_is_retried_while_the_old_version_serves(
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


def test_a_failed_version_is_retried_once_its_folder_is_removed_and_added_again(
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


def test_an_empty_folder_unloads_everything_and_a_missing_one_changes_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    base = tmp_path / "base"
    (base / "1").mkdir(parents=True)
    model = Model("m", base, FakeModel, Retries(), clock=clock)
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
