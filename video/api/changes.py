"""Changes of cameras: `POST`, `PUT`, `PATCH` and `DELETE` below `/api/cameras`."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from pipeline.access.visitor import Visitor, visitor_of
from pipeline.cameras.record import CameraRecord, is_preview
from pipeline.cameras.seal import Seal
from pipeline.cameras.topic import MOST_CAMERAS
from video.api import fields, models
from video.api.answers import NOT_KEPT, as_json, changes, example
from video.api.bodies import read_object
from video.api.cameras import NAME, as_reported
from video.api.records import FIELDS, FieldError, Schemes, checked_name, checked_record
from video.cameras.cameras import Cameras
from video.cameras.directory import Directory, UnavailableError

WITHOUT: Final = "cameras are not kept as data here: set CAMERASTOPIC"
"""What is answered to changes without a topic of cameras."""

_SENDING: Final = frozenset({"live", "stale", "model-away"})


class Changes:
    """Writes records for clients that may do so, with links of these schemes; `most` cameras can be listed.

    Without a directory, nobody may.
    """

    def __init__(
        self,
        cameras: Cameras,
        directory: Directory | None = None,
        schemes: Collection[str] = (),
        most: int = MOST_CAMERAS,
    ) -> None:
        self.directory = directory
        self.schemes = Schemes(schemes, directory.seal if directory else Seal())
        self._cameras = cameras
        self._most = min(most, MOST_CAMERAS)

    def allow(self, request: Request) -> tuple[Directory, Visitor]:
        """Return what a visitor may change; raise `HTTPException` if that is nothing."""
        visitor = visitor_of(request.scope)
        if self.directory is None:
            raise HTTPException(404, WITHOUT, NOT_KEPT)
        if why := visitor.lacks("operator"):
            raise HTTPException(403, why, NOT_KEPT)
        return self.directory, visitor

    async def add(self, request: Request) -> Response:
        """Add a camera."""
        directory, visitor = self.allow(request)
        sent = await read_object(request)
        name = _valid_name(sent.pop("name", None))
        _may_change(visitor, name)
        record = self._valid(directory, sent)
        if self._exists(directory, name):
            raise HTTPException(409, f"camera {name!r} exists already: choose another name", NOT_KEPT)
        await self._put(directory, name, record)
        return self._reported(name, 201)

    async def change(self, request: Request, name: str) -> Response:
        """Change a camera, or add it."""
        directory, visitor = self.allow(request)
        sent = await read_object(request)
        _valid_name(name)
        _may_change(visitor, name)
        before = directory.records.get(name)
        record = self._valid(directory, sent, before if isinstance(before, CameraRecord) else None)
        await self._put(directory, name, record)
        return self._reported(name, 201 if before is None else 200)

    async def amend(self, request: Request, name: str) -> Response:
        """Change some fields of a camera."""
        directory, visitor = self.allow(request)
        sent = await read_object(request)
        self._require(directory, visitor, name)
        before = directory.records.get(name)
        if not isinstance(before, CameraRecord):
            text = f"the record of camera {name!r} cannot be used: send a whole one with PUT"
            raise HTTPException(409, text, NOT_KEPT)
        kept = before.model_dump(include={*FIELDS} - {"link"})
        await self._put(directory, name, self._valid(directory, {**kept, **sent}, before))
        return self._reported(name, 200)

    async def remove(self, request: Request, name: str) -> Response:
        """Remove a camera."""
        directory, visitor = self.allow(request)
        self._require(directory, visitor, name)
        with explained():
            await directory.remove(name)
        return Response(status_code=204, headers=NOT_KEPT)

    def count(self, directory: Directory) -> None:
        """Raise `HTTPException` if no further camera can be listed."""
        if len(directory.known()) >= self._most:
            text = f"there are {self._most} cameras already (MAXCAMERAS): remove one first"
            raise HTTPException(409, text, NOT_KEPT)

    def _require(self, directory: Directory, visitor: Visitor, name: str) -> None:
        """Raise `HTTPException` unless a camera has a record that the visitor may change."""
        if not visitor.may_see(name) or is_preview(name):
            raise HTTPException(404, self._cameras.unknown(name, visitor.may_see), NOT_KEPT)
        if name not in directory.known():
            if self._cameras.find(name) is None:
                raise HTTPException(404, self._cameras.unknown(name, visitor.may_see), NOT_KEPT)
            text = f"camera {name!r} is not kept as data: its producer has it from its settings"
            raise HTTPException(404, text, NOT_KEPT)

    def _valid(
        self, directory: Directory, sent: dict[str, Any], before: CameraRecord | None = None
    ) -> CameraRecord:
        try:
            record = checked_record(sent, self.schemes, before=before)
        except FieldError as error:
            raise HTTPException(400, str(error), NOT_KEPT) from None
        is_kept = before is not None and record.partition == before.partition
        if not is_kept and (why := directory.why_no_partition(record.partition)):
            raise HTTPException(400, why, NOT_KEPT)
        return record

    def _exists(self, directory: Directory, name: str) -> bool:
        if name in directory.known():
            return True
        found = self._cameras.find(name)
        return found is not None and found.state in _SENDING

    async def _put(self, directory: Directory, name: str, record: CameraRecord) -> None:
        if name not in directory.records:
            self.count(directory)
        if record.partition is None:
            record = record.model_copy(update={"partition": directory.partition()})
        with explained():
            await directory.put(name, record)

    def _reported(self, name: str, status: int) -> Response:
        found = self._cameras.find(name)
        if found is None:
            raise HTTPException(409, f"camera {name!r} was removed meanwhile", NOT_KEPT)
        return as_json(as_reported(found, config=True), status)


@contextmanager
def explained() -> Iterator[None]:
    """Turn an `UnavailableError` into a 503."""
    try:
        yield
    except UnavailableError as error:
        raise HTTPException(503, str(error), {**NOT_KEPT, "Retry-After": "5"}) from None


def change_routes(changing: Changes) -> APIRouter:
    """Return the routes that change cameras."""
    router = APIRouter(tags=["cameras"])

    @router.post(
        "/api/cameras",
        summary="Add a camera",
        status_code=201,
        response_model=models.Camera,
        responses={201: example(models.CAMERA), **changes(409)},
        openapi_extra=fields.body(fields.NewCamera),
    )
    async def add_camera(request: Request) -> Response:
        return await changing.add(request)

    @router.put(
        "/api/cameras/{camera:path}",
        summary="Replace a camera, or add it",
        description="Fields that are left out get their defaults; without `link`, the present one is kept.",
        response_model=models.Camera,
        responses={
            200: example(models.CAMERA),
            201: {
                "model": models.Camera,
                "description": "The camera is new",
                **example(models.CAMERA),
            },
            **changes(409),
        },
        openapi_extra=fields.body(fields.CameraFields),
    )
    async def change_camera(request: Request, camera: str = NAME) -> Response:
        return await changing.change(request, camera)

    @router.patch(
        "/api/cameras/{camera:path}",
        summary="Change some fields of a camera",
        description="Fields that are left out stay.",
        response_model=models.Camera,
        responses={200: example(models.CAMERA), **changes(409)},
        openapi_extra=fields.body(fields.CameraFields),
    )
    async def amend_camera(request: Request, camera: str = NAME) -> Response:
        return await changing.amend(request, camera)

    @router.delete(
        "/api/cameras/{camera:path}", summary="Remove a camera", status_code=204, responses=changes()
    )
    async def remove_camera(request: Request, camera: str = NAME) -> Response:
        return await changing.remove(request, camera)

    return router


def _valid_name(name: object) -> str:
    try:
        return checked_name(name)
    except FieldError as error:
        raise HTTPException(400, str(error), NOT_KEPT) from None


def _may_change(visitor: Visitor, name: str) -> None:
    if not visitor.may_see(name):
        text = f"you may only change cameras that you may see, and {name!r} is not one of them"
        raise HTTPException(403, text, NOT_KEPT)
