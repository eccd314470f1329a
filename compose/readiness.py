"""Asks a part whether it is ready."""

import asyncio
import json
from typing import Final

from compose.parts import Part

_ANSWERING: Final = 2.0  # s


async def trouble(part: Part) -> str | None:
    """Return why a part is not ready, or None if it is; raise OSError if it does not answer."""
    if part.role == "tfserving":
        return model_trouble(*await get(part.port, "/v1/models/imagenet"))
    return service_trouble(*await get(part.port, "/readyz"))


async def get(port: int, path: str) -> tuple[int, str]:
    """Return the status and the body that a server on this machine answers with; raise OSError if none."""
    async with asyncio.timeout(_ANSWERING):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            # In HTTP/1.0 the end of the connection is the end of the answer.
            writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionError(f"port {port} does not answer with HTTP")
    return int(words[1]), body.decode(errors="replace")


def service_trouble(status: int, body: str) -> str | None:
    """Return the reason that a service's /readyz gives for not being ready, or None if it is ready."""
    return None if status == 200 else " ".join(body.split()) or f"answers with {status}"


def model_trouble(status: int, body: str) -> str | None:
    """Return why a model server does not serve the model yet, or None if it serves a version of it."""
    try:
        versions = json.loads(body)["model_version_status"]
        states = [str(version["state"]) for version in versions]
    except (ValueError, KeyError, TypeError):
        return f"answers with {status}"
    return None if "AVAILABLE" in states else f"the model is {' and '.join(states) or 'not there'}"
