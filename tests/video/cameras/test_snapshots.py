from hypothesis import given
from hypothesis import strategies as st

from video.cameras.snapshots import Snapshots


def test_a_picture_is_kept_as_the_object_it_is() -> None:
    jpeg = bytes(100)
    snapshots = Snapshots(1000)

    snapshots.put(1, "door", jpeg)

    kept = snapshots.get(1)
    assert kept is not None
    assert kept[0] == "door"
    assert kept[1] is jpeg


def test_the_oldest_go_first() -> None:
    snapshots = Snapshots(250)

    for event in (1, 2, 3):
        snapshots.put(event, "door", bytes(100 + event))

    assert [event for event in (1, 2, 3) if snapshots.get(event)] == [2, 3]


def test_a_picture_that_two_events_share_counts_once() -> None:
    snapshots = Snapshots(1000)
    jpeg = bytes(100)

    snapshots.put(1, "door", jpeg)
    snapshots.put(2, "door", jpeg)
    both = snapshots.bytes
    snapshots.drop(1)

    assert both == snapshots.bytes == 100
    assert snapshots.get(2) == ("door", jpeg)


def test_a_picture_larger_than_all_that_may_be_kept_is_not_kept() -> None:
    snapshots = Snapshots(99)

    snapshots.put(1, "door", bytes(100))

    assert snapshots.get(1) is None
    assert snapshots.bytes == 0


def test_dropping_a_picture_that_is_not_kept_does_nothing() -> None:
    snapshots = Snapshots(99)

    snapshots.drop(1)

    assert snapshots.bytes == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60), st.integers(0, 300))
def test_the_bytes_are_those_of_the_pictures_that_are_kept(steps: list[tuple[bool, int]], most: int) -> None:
    jpegs = [bytes(10 * size) for size in range(1, 11)]
    snapshots = Snapshots(most)

    for event, (put, number) in enumerate(steps):
        if put:
            snapshots.put(event, "door", jpegs[number])
        else:
            snapshots.drop(event - number)

        kept = [entry[1] for each in range(event + 1) if (entry := snapshots.get(each))]
        assert snapshots.bytes == sum(len(jpeg) for jpeg in {id(jpeg): jpeg for jpeg in kept}.values())
        assert snapshots.bytes <= most
