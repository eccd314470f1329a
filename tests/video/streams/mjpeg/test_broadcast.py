"""What the clients of one camera's MJPEG get to see."""

import itertools

from tests.clock import Clock
from tests.video.conftest import LIMITS
from tests.video.fakes import FakeConnection, a_frame
from video.cameras.camera import Camera
from video.streams.mjpeg.broadcast import Broadcast, Broadcasts
from video.streams.mjpeg.framing import part

INTERVAL = 0.042  # s
LARGE = bytes(20_000)


def a_broadcast(interval: float = INTERVAL) -> tuple[Camera, Broadcast]:
    """Return a camera with its first frame, and its broadcast."""
    camera = Camera(1, a_frame(1), LIMITS)
    broadcast = Broadcast(camera, interval)
    camera.subscribe(broadcast)
    return camera, broadcast


def show(camera: Camera, seq: int) -> None:
    """Put up a frame."""
    camera.show(a_frame(seq))


def view(broadcast: Broadcast) -> FakeConnection:
    """Let a client watch; return its connection."""
    connection = FakeConnection()
    broadcast.add(connection)
    return connection


class Kernel(FakeConnection):
    """A client's kernel: as with TCP, what the client has read shows when something else arrives."""

    def __init__(self) -> None:
        super().__init__()
        self._arrived = b""

    def write(self, chunk: bytes) -> None:
        """Let a chunk arrive, and report what is unread."""
        self._arrived += chunk
        self.backlog = len(self._arrived)

    def read_frame(self) -> int:
        """Read the next part, and return its frame's number."""
        part, _, self._arrived = self._arrived.partition(b"\r\n--frame\r\n")
        head = dict(line.split(b": ") for line in part.partition(b"\r\n\r\n")[0].split(b"\r\n"))
        return int(head[b"X-Seq"])


def test_frames_are_paced_at_the_interval(clock: Clock) -> None:
    camera, broadcast = a_broadcast(interval=0.040)
    client = view(broadcast)

    for seq in range(2, 402):
        clock.now += 0.010
        show(camera, seq)

    assert 100 <= len(client.seqs) <= 103
    assert client.seqs == sorted(set(client.seqs))


def test_a_camera_slower_than_the_interval_keeps_all_its_frames(clock: Clock) -> None:
    camera, broadcast = a_broadcast(interval=0.040)
    client = view(broadcast)

    for seq in range(2, 52):
        clock.now += 0.040 if seq % 2 else 0.050
        show(camera, seq)

    assert client.seqs == list(range(1, 52))


def test_a_client_that_stalls_gets_the_newest_frame_and_nothing_older(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    client = view(broadcast)

    for begin in (2, 12):
        client.stall()
        for seq in range(begin, begin + 10):
            clock.now += INTERVAL
            show(camera, seq)
        client.read()

    assert client.seqs == [1, 2, 11, 12, 21]


def test_a_client_that_reads_on_is_not_sent_again_what_it_has(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    client = view(broadcast)
    client.stall()
    clock.now += INTERVAL
    show(camera, 2)
    clock.now += INTERVAL

    client.read()

    assert client.seqs == [1, 2]


def test_a_client_that_stalls_does_not_hold_up_another(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    slow, quick = view(broadcast), view(broadcast)
    slow.stall()

    for seq in range(2, 12):
        clock.now += INTERVAL
        show(camera, seq)

    assert slow.seqs == [1, 2]
    assert quick.seqs == list(range(1, 12))


def test_all_clients_share_a_frames_bytes() -> None:
    _, broadcast = a_broadcast()

    clients = [view(broadcast) for _ in range(3)]

    assert len({id(chunk) for client in clients for chunk in client.written}) == 1


def test_a_client_with_more_than_a_frame_unread_gets_none_until_it_has_read(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    client = view(broadcast)
    size, seen = len(LARGE), []

    for unread, seqs in ((0, (2, 3)), (0.9, (4,)), (1.2, (5, 6, 7)), (0, (8,))):
        client.backlog = round(unread * size)
        for seq in seqs:
            clock.now += INTERVAL
            camera.show(a_frame(seq, jpeg=LARGE))
        seen.append(client.seqs)

    assert seen == [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4, 8]]


def test_what_is_under_way_counts_only_after_a_client_was_slow(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    client = view(broadcast)
    seen: list[int] = []

    for unread, under_way, seconds in ((0, 3, INTERVAL), (3, 0, INTERVAL), (0, 3, INTERVAL), (0, 3, 1.1)):
        client.backlog, client.flying = unread * len(LARGE), under_way * len(LARGE)
        clock.now += seconds
        camera.show(a_frame(len(seen) + 2, jpeg=LARGE))
        seen.append(client.seqs[-1])

    assert seen == [2, 2, 2, 5]


def test_a_client_is_never_without_a_frame_however_slowly_it_reads(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    client = Kernel()
    broadcast.add(client)
    lags = []

    for seq in range(2, 302):
        clock.now += INTERVAL
        camera.show(a_frame(seq, jpeg=LARGE))
        if seq % 3 == 0:
            lags.append(seq - client.read_frame())

    assert len(lags) == 100
    assert max(lags) <= 6


def test_a_client_that_has_read_the_last_but_one_frame_gets_the_next_even_if_it_is_smaller(
    clock: Clock,
) -> None:
    camera, broadcast = a_broadcast()
    client = view(broadcast)

    for seq, size in ((2, 40_000), (3, 20_000), (4, 10_000)):
        client.backlog = len(client.written[-1])
        clock.now += INTERVAL
        camera.show(a_frame(seq, jpeg=bytes(size)))

    assert client.seqs == [1, 2, 3, 4]


def test_a_client_that_seems_to_read_nothing_is_tried_again_now_and_then(clock: Clock) -> None:
    camera, broadcast = a_broadcast()
    client = view(broadcast)
    client.backlog = 10**9

    for seq in range(2, 102):
        clock.now += 0.040
        show(camera, seq)

    gaps = {later - earlier for earlier, later in itertools.pairwise(client.seqs)}
    assert client.seqs[0] == 1
    assert 5 <= len(client.seqs) <= 10
    assert gaps == {13}


def test_a_client_that_missed_a_due_frame_gets_the_next_that_comes(clock: Clock) -> None:
    camera, broadcast = a_broadcast(interval=1.0)
    client = view(broadcast)
    client.stall()
    for seq, seconds in (
        (2, 1.0),
        (3, 1.0),
        (4, 0.1),
    ):  # 2 fills it, 3 is due and finds no room, 4 is not due
        clock.now += seconds
        show(camera, seq)

    client.read()
    clock.now += 0.1
    show(camera, 5)

    assert client.seqs == [1, 2, 4]


def test_a_client_that_keeps_up_is_seldom_asked_what_it_has_not_read(clock: Clock) -> None:
    camera, broadcast = a_broadcast(interval=0.010)
    prompt, slow = view(broadcast), view(broadcast)
    slow.backlog = len(part(camera.frame))

    for seq in range(2, 102):
        clock.now += 0.010
        show(camera, seq)

    assert len(prompt.seqs) == len(slow.seqs) == 101
    assert prompt.asked < 50
    assert slow.asked > 90


def test_clients_of_a_camera_share_its_broadcast_until_the_last_has_gone(clock: Clock) -> None:
    camera, broadcasts = Camera(1, a_frame(1), LIMITS), Broadcasts(INTERVAL)
    first, second = FakeConnection(), FakeConnection()

    with broadcasts.join(camera, first):
        with broadcasts.join(camera, second):
            clock.now += INTERVAL
            show(camera, 2)
            watchers = camera.listeners
        clock.now += INTERVAL
        show(camera, 3)

    assert (first.seqs, second.seqs) == ([1, 2, 3], [1, 2])
    assert len(watchers) == 1
    assert not camera.listeners
