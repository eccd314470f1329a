import threading

from hypothesis import given
from hypothesis import strategies as st

from pipeline.flow.newest import Newest

Item = tuple[str, int]
TAKE = ""


@given(st.lists(st.sampled_from([TAKE, "a", "b", "c"]), max_size=80))
def test_the_newest_wins_and_nothing_is_lost(actions: list[str]) -> None:
    replaced: list[Item] = []
    newest = Newest[Item](replaced.append)
    waiting: dict[str, Item] = {}  # in the order in which the slots were filled
    served: list[Item] = []
    number = 0

    for camera in actions:
        if camera == TAKE:
            item = newest.take(0)
            assert item == (waiting.pop(next(iter(waiting))) if waiting else None)
            served += [item] if item else []
        else:
            item = (camera, number)
            number += 1
            newest.put(camera, item)
            assert camera not in waiting or replaced[-1] == waiting[camera]
            waiting[camera] = item

    left = newest.clear()
    assert left == list(waiting.values())
    assert sorted(number for _, number in [*served, *replaced, *left]) == list(range(number))


def test_a_fast_camera_does_not_lose_its_turn_nor_take_anothers() -> None:
    newest = Newest[str](lambda _: None)

    newest.put("fast", "fast 1")
    newest.put("slow", "slow 1")
    newest.put("fast", "fast 2")

    assert newest.take(0) == "fast 2"
    newest.put("fast", "fast 3")
    assert newest.take(0) == "slow 1"
    assert newest.take(0) == "fast 3"


def test_nothing_to_take_is_told_after_the_time() -> None:
    newest = Newest[str](lambda _: None)

    assert newest.take(0.01) is None


def test_who_waits_is_woken() -> None:
    newest = Newest[str](lambda _: None)
    taken: list[str | None] = []
    waiting = threading.Thread(target=lambda: taken.append(newest.take(60)))

    waiting.start()
    newest.put("a", "a 1")
    waiting.join(30)

    assert taken == ["a 1"]


def test_what_was_cleared_is_gone() -> None:
    replaced: list[str] = []
    newest = Newest[str](replaced.append)
    newest.put("a", "a 1")

    assert newest.clear() == ["a 1"]
    assert newest.take(0) is None
    newest.put("a", "a 2")
    assert replaced == []


def test_the_replaced_may_be_handled_with_the_slots_at_hand() -> None:
    newest = Newest[str](lambda old: newest.put("old", old))

    newest.put("a", "a 1")
    newest.put("a", "a 2")

    assert newest.clear() == ["a 2", "a 1"]


def test_nothing_is_lost_between_threads() -> None:
    replaced: list[int] = []
    newest = Newest[int](replaced.append)
    served: list[int] = []
    done = threading.Event()

    def put(camera: int) -> None:
        for number in range(1000):
            newest.put(str(camera), camera * 1000 + number)

    def take() -> None:
        while not done.is_set():
            item = newest.take(0.01)
            served.extend([] if item is None else [item])

    putting = [threading.Thread(target=put, args=(camera,)) for camera in range(3)]
    taking = threading.Thread(target=take)
    for thread in [taking, *putting]:
        thread.start()
    for thread in putting:
        thread.join()
    done.set()
    taking.join()

    assert sorted([*served, *replaced, *newest.clear()]) == list(range(3000))
    for camera in range(3):
        of_camera = [number for number in served if number // 1000 == camera]
        assert of_camera == sorted(of_camera)


def test_a_cameras_item_can_be_dropped_without_being_served() -> None:
    newest = Newest[int](replaced=lambda _: None)
    newest.put("door", 1)
    newest.put("yard", 2)

    assert newest.drop("door") == 1
    assert newest.drop("door") is None
    assert [newest.take(0), newest.take(0)] == [2, None]
