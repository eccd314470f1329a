"""Asks a part whether it is ready."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Final

from compose.parts import Part

_ANSWERING: Final = 2.0  # s


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part says about itself."""

    trouble: str | None = None
    """Why it is not ready; None if it is."""
    cameras: dict[str, str] = field(default_factory=dict)
    """Why cameras do not deliver, by name; they do not keep a producer from being ready."""


async def ask(part: Part) -> Answer:
    """Return what a part says; raise OSError if it does not answer."""
    if part.role == "tfserving":
        return Answer(model_trouble(*await get(part.port, "/v1/models/imagenet")))
    status, body = await get(part.port, "/readyz")
    if part.role == "producer":
        named = [(line, re.fullmatch("camera (.+?): (.+)", line.strip())) for line in body.splitlines()]
        cameras = {found[1]: found[2] for _, found in named if found}
        rest = "\n".join(line for line, found in named if not found)
        return Answer(service_trouble(status, rest), cameras)
    return Answer(service_trouble(status, body))


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
