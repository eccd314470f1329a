"""A page that uses the streams as Elastic Inference's does: it polls the list, and opens WebSockets."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.e2e.browsing import Line, picture
from tests.e2e.conftest import Window
from tests.parts import free_port, reads, wait_for
from tests.two_models import MODELS, TwoModels, two_models

NAMES = ("front door", "10.0.0.7:8554/a")
IDS = {
    f"{name}:{model}:inferred": (name, model)
    for name in ("front door", "10.0.0.7%3A8554%2Fa")
    for model in MODELS
}
PAGE = """<!doctype html><meta charset="utf-8"><title>Streams</title><link rel="icon" href="data:,">
<main></main>
<script>
const cards = new Map();
function add(id) {
  const element = document.createElement("section");
  const title = document.createElement("h2");
  title.textContent = id.split(":")[0];
  const image = new Image(450, 300);
  element.append(title, image);
  document.querySelector("main").append(element);
  const socket = new WebSocket(`ws://${location.hostname}:PORT/${id}`);
  const card = { element, image, socket, last: null };
  socket.onmessage = async ({ data }) => {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(data);
    card.last = new Uint8Array(await data.arrayBuffer());
  };
  cards.set(id, card);
}
async function poll() {
  const { streams } = await (await fetch("api/streams")).json();
  for (const [id, card] of cards) {
    if (streams.includes(id)) continue;
    card.socket.close();
    card.element.remove();
    cards.delete(id);
  }
  for (const id of streams) if (!cards.has(id)) add(id);
}
setInterval(poll, 1000);
poll();
</script>"""
WIDTHS = "[...document.images].map(({ naturalWidth }) => naturalWidth)"
TITLES = "[...document.querySelectorAll('h2')].map(({ textContent }) => textContent)"
LAST = """[...cards].map(([id, { last }]) => [id, btoa(Array.from(last ?? [], (each) =>
  String.fromCharCode(each)).join(""))])"""


@contextmanager
def gateway(page: str, port: int, streams: str) -> Iterator[None]:
    """A server of the page, which passes on the list of streams."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there = self.path == "/api/streams"
            body = reads(streams) if there else page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if there else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_page_shows_a_card_for_each_stream_with_the_label_of_its_model(
    window: Window, tmp_path: Path
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        two_models(tmp_path, NAMES, EMBEDORIGINS=address, NOSIGNALAFTER="1s") as system,
        Line(system.address) as sockets,
    ):
        page = PAGE.replace("PORT", sockets.address.strip("/").rpartition(":")[2])
        with gateway(page, port, f"{system.address}api/streams"):
            window.open(f"{address}/")
            wait_for(lambda: shows(window, IDS), 60, "a picture on each card")
            for identity, (_, model) in IDS.items():
                wait_for(lambda i=identity, m=model: last(window, i) in system.pictures[m], 60, "its label")  # type: ignore[misc]
            window.keep(picture(f"streams-{type(window).__name__.lower()}"))

            expect_cards_to_follow(window, system)

    assert window.complaints == []


def shows(window: Window, expected: dict[str, tuple[str, str]]) -> bool:
    """Return whether the page shows exactly these streams, each with a picture."""
    found = dict(window.evaluate(LAST) or [])
    titles = sorted(window.evaluate(TITLES) or [])
    widths = window.evaluate(WIDTHS)
    return (
        found.keys() == expected.keys()
        and titles == sorted(identity.split(":")[0] for identity in expected)
        and widths == [640] * len(expected)
    )


def last(window: Window, identity: str) -> bytes:
    """Return the last picture of a card."""
    return base64.b64decode(dict(window.evaluate(LAST) or []).get(identity, ""))


def expect_cards_to_follow(window: Window, system: TwoModels) -> None:
    """Check that the cards of a camera that falls silent go, and come back with it."""
    camera = system.films.cameras["front door"]
    others = {identity: of for identity, of in IDS.items() if of[0] != "front door"}

    camera.running = False
    wait_for(lambda: shows(window, others), 60, "its cards to go")
    camera.running = True
    wait_for(lambda: shows(window, IDS), 60, "its cards to come back")
