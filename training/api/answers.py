"""Answers: always JSON. A refusal is a 400 and the reason as a JSON text, which Kafka-ML's page shows."""

import logging
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException as AnyHTTPException

from pipeline.service.logs import Seldom
from pipeline.service.masking import hide
from pipeline.service.settings import explain
from training.database.watch import cause

log = logging.getLogger(__name__)
_seldom = Seldom(log)

_MOST_SHOWN: Final = 40  # characters of a wrong value
_JSON: Final = "application/json"
_FULL: Final = ("database or disk is full", "No space left on device")  # SQLite's words, and PostgreSQL's


def answer(content: Any, status: int = 200) -> Response:
    """Return an answer; NaN, which JSON does not have, becomes null."""
    return Response(to_json(content, inf_nan_mode="null"), status, media_type=_JSON)


def refusal(reason: str) -> HTTPException:
    """Return what to raise for a request that cannot be carried out."""
    return HTTPException(400, " ".join(hide(reason).split()))


def unable(reason: str) -> HTTPException:
    """Return what to raise where the same request may be carried out later, as when the disk was full."""
    return HTTPException(503, " ".join(hide(reason).split()))


def unknown(what: str, number: int) -> HTTPException:
    """Return what to raise when a GET asks for a row that does not exist."""
    return HTTPException(404, f"there is no {what} {number}")


def answer_errors(app: FastAPI) -> None:
    """Let an application answer errors as described above."""

    @app.exception_handler(AnyHTTPException)
    async def refuse(_: Request, error: AnyHTTPException) -> Response:
        content = error.detail if error.status_code == 400 else {"detail": error.detail}
        found = answer(content, error.status_code)
        found.headers.update(error.headers or {})
        return found

    @app.exception_handler(RequestValidationError)
    async def explain_fields(_: Request, error: RequestValidationError) -> Response:
        lines = dict.fromkeys(line(problem) for problem in error.errors())
        return answer(" ".join(hide("; ".join(lines)).split()), 400)

    @app.exception_handler(IntegrityError)
    async def refuse_conflict(_: Request, __: Exception) -> Response:
        return answer("another change was faster, or a row that this one needs is gone: try again", 400)

    @app.exception_handler(DBAPIError)
    @app.exception_handler(NoConnection)
    async def say_that_the_database_is_away(_: Request, error: Exception) -> Response:
        why = cause(error)
        _seldom.warning("database", f"the database cannot be used: {why}")
        is_full = any(each in why for each in _FULL)
        shown = f"cannot be written: {why}" if is_full else "does not answer"
        return answer({"detail": f"the database {shown}: try again later"}, 503)

    @app.exception_handler(Exception)
    async def say_that_it_is_our_fault(_: Request, __: Exception) -> Response:
        return answer({"detail": "a fault in the service; its log says more"}, 500)


def line(problem: dict[str, Any]) -> str:
    """Return in one line what is wrong with a field, given one of pydantic's errors."""
    if problem["loc"] == ("body",) and isinstance(problem["input"], bytes):  # not read as JSON
        return "expected a JSON object: send application/json"
    wrong = explain(problem)
    # A list's elements have numbers.
    name = next((each for each in reversed(problem["loc"]) if isinstance(each, str)), "body")
    if problem["type"] == "missing":
        return f"{name}: required, but missing"
    if problem["type"] == "json_invalid":
        return "expected a JSON object, found invalid JSON"
    shown = shorten(str(problem["input"]))
    return wrong if problem["loc"] in (("body",), ()) else f"{name}={shown!r}: {wrong}"


def shorten(text: str) -> str:
    """Return the beginning of a text that was sent, to be shown in a refusal."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
