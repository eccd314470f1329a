"""SIGTERM and SIGINT as an event."""

import signal
import socket
import threading


def stop_event() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set. Call this in the main thread."""
    event = threading.Event()
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def wait() -> None:
        with reader, writer:
            while reader.recv(1):
                event.set()

    # A Python handler interrupts the main thread, which may hold the event's lock. Therefore the handlers do
    # nothing, and a thread reads the byte that each signal writes.
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=wait, name="signals", daemon=True).start()
    return event
