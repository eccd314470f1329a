"""`/versions/`: what TensorFlow Serving serves of each model, and what it may serve next."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

import anyio.from_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from training.api import described
from training.api.answers import answer, refusal, unable
from training.api.bodies import LARGEST_UPLOAD
from training.api.described_versions import ModelVersions, Version, WholeVersion
from training.api.parts import Parts, RowId
from training.api.results import found
from training.database.tables import Result
from training.fields import LARGEST_NUMBER
from training.versions.archive import KIND, ArchiveError, pack, unpack
from training.versions.store import VersionError, metadata

Number = Annotated[int, InPath(ge=1, le=LARGEST_NUMBER, description="the number of a version")]
"""A version in a path."""

ModelName = Annotated[str, InPath(description="the name of a model")]
"""A model in a path."""

_BODY: Final = {"requestBody": {"required": True, "content": {KIND: {"schema": {"type": "string"}}}}}


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["versions"])
    library = parts.library

    @router.get(
        "/versions/",
        summary="All models that have versions",
        responses=described.listed(ModelVersions),
    )
    def list_models() -> Response:
        listed = {name: library.listed(name) for name in library.models()}
        return answer(
            [
                {"model": name, "served": _served(versions), "versions": versions}
                for name, versions in listed.items()
            ]
        )

    @router.get(
        "/versions/{model}",
        summary="The versions of a model, the newest first",
        responses=described.listed(Version) | described.MISSING,
    )
    def list_versions(model: ModelName) -> Response:
        try:
            return answer(library.listed(model))
        except VersionError as error:
            raise HTTPException(404, str(error)) from None

    @router.get(
        "/versions/{model}/{version}",
        summary="All that is known about a version",
        responses=described.one(WholeVersion),
    )
    def show_version(model: ModelName, version: Number) -> Response:
        try:
            return answer(library.described(model, version))
        except VersionError as error:
            raise HTTPException(404, str(error)) from None

    @router.post(
        "/versions/{model}/{version}/promote",
        summary="Let a candidate, or an old version, be served",
        description="Servers serve the version with the highest number. The promoted one keeps its number "
        "if that is so already, and gets a new one otherwise: the answer has it.",
        responses=described.changed(WholeVersion),
    )
    def promote(model: ModelName, version: Number) -> Response:
        try:
            return answer(library.described(model, library.promote(model, version)))
        except (VersionError, OSError) as error:
            raise refusal(_reason(error)) from None

    @router.delete(
        "/versions/{model}/{version}",
        summary="Delete a candidate, or an old version",
        responses=described.DELETED,
    )
    def delete(model: ModelName, version: Number) -> Response:
        try:
            library.remove(model, version)
        except (VersionError, OSError) as error:
            raise refusal(_reason(error)) from None
        return answer({})

    _add_archives(router, parts)
    return router


def _add_archives(router: APIRouter, parts: Parts) -> None:
    """Add the routes on which versions travel: from jobs, and to servers."""
    database, library = parts.database, parts.library

    @router.get(
        "/versions/{model}/{version}/archive",
        summary="The files of a served version",
        description="A tar stream; its last file, `sha256.json`, has the checksums of all others.",
        response_class=Response,
        responses=described.file(KIND, "The files") | described.MISSING,
    )
    def download(model: ModelName, version: Number) -> Response:
        try:
            place = library.place(model, version)
        except VersionError as error:
            raise HTTPException(404, str(error)) from None
        return StreamingResponse(pack(place), media_type=KIND)

    @router.post(
        "/results/{result}/version",
        summary="Add the SavedModel of a result as a version",
        description="For jobs that cannot write to the model store. It becomes a candidate, or is served at "
        "once if the deployment says so (`autoserve`). The archive is as that of a download.",
        responses=described.DONE,
        openapi_extra=_BODY,
    )
    async def upload(result: RowId, request: Request) -> Response:
        return await run_in_threadpool(keep, result, _Body(request.stream()))

    def keep(result: int, body: "_Body") -> Response:
        with database.reading() as session:
            facts = _facts(found(session, result))
            is_served = found(session, result).deployment.autoserve

        def fill(folder: Path) -> dict[str, Any]:
            unpack(body, folder, LARGEST_UPLOAD)
            return metadata(folder)

        try:
            version = library.add(facts["model"], fill, facts, is_served=is_served)
        except ArchiveError as error:
            raise refusal(_reason(error)) from None
        except OSError as error:
            raise unable(_reason(error)) from None
        return answer({"version": version})


class _Body:
    """The body of a request, for a thread that reads it like a file."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, and none at the end."""
        while not self._left:
            chunk = anyio.from_thread.run(self._next)
            if chunk is None:
                return b""
            self._left = chunk
        data, self._left = self._left[:size], self._left[size:]
        return data

    async def _next(self) -> bytes | None:
        return await anext(self._chunks, None)


def _facts(row: Result) -> dict[str, Any]:
    """Return what the service itself knows about a result; raise the refusal if it was stopped."""
    if row.status == "stopped":
        raise refusal(f"result {row.id} was stopped: what its job sends is not kept")
    return {"result": row.id, "deployment": row.deployment_id, "model": row.model.name, "seed": row.seed}


def _served(versions: list[dict[str, Any]]) -> int | None:
    return next((each["version"] for each in versions if each["state"] == "served"), None)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the model store'}: {error.strerror or error}"
    return str(error)
