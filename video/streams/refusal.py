"""An answer in place of a WebSocket."""

from typing import Final

from starlette.types import Send

_RETRY_AFTER: Final = (b"retry-after", b"5")  # s


async def refuse(send: Send, status: int, text: str) -> None:
    """Answer a handshake with a line of text; with 503, the client may try again soon."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append(_RETRY_AFTER)
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": f"{text}\n".encode()})
