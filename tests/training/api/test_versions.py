"""Versions of models in the API."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.training.conftest import Service
from training.api import bodies
from training.versions.archive import KIND, pack, unpack


def add(service: Service, model: str, result: int, *, is_served: bool = False) -> int:
    """Add a version to the store, as a job does."""

    def fill(folder: Path) -> dict[str, Any]:
        (folder / "saved_model.pb").write_bytes(b"model")
        return {"code": "model = 1", "metrics": {"test_metrics": {"loss": [0.5]}}}

    facts = {"result": result, "deployment": 3, "model": model, "seed": 7}
    return service.library.add(model, fill, facts, is_served=is_served)


def archive(folder: Path) -> bytes:
    """Return the archive of a SavedModel."""
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"from a job")
    (folder / "assets.extra/streamlens.json").write_text('{"code": "x", "result": 99, "parent": 99}')
    return b"".join(pack(folder))


def upload(service: Service, result: int, content: bytes) -> httpx.Response:
    return service.client.request(
        "POST", f"/results/{result}/version", content=content, headers={"Content-Type": KIND}
    )


def test_models_and_their_versions_are_listed(service: Service) -> None:
    assert service.get("/versions/") == []
    add(service, "digits", 1, is_served=True)
    add(service, "digits", 2)
    add(service, "emotions", 3)

    digits, emotions = service.get("/versions/")

    assert (digits["model"], digits["served"]) == ("digits", 1)
    assert [(each["version"], each["state"]) for each in digits["versions"]] == [
        (2, "candidate"),
        (1, "served"),
    ]
    assert emotions["served"] is None
    assert service.get("/versions/digits") == digits["versions"]
    assert (
        digits["versions"][0].items()
        >= {
            "result": 2,
            "deployment": 3,
            "seed": 7,
            "parent": 1,
            "metrics": {"test_metrics": {"loss": [0.5]}},
        }.items()
    )
    assert service.get("/versions/digits/2")["code"] == "model = 1"
    assert service.client.get("/versions").headers["location"] == "/versions/"


@pytest.mark.parametrize("path", ["/versions/digits", "/versions/digits/1", "/versions/digits/1/archive"])
def test_what_does_not_exist_is_a_404(service: Service, path: str) -> None:
    answer = service.client.get(path)

    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no version of digits"})


def test_a_candidate_is_promoted(service: Service) -> None:
    add(service, "digits", 1, is_served=True)
    add(service, "digits", 2)

    promoted = service.post("/versions/digits/2/promote", status=200)

    assert (promoted["version"], promoted["state"], promoted["parent"]) == (2, "served", 1)
    assert promoted["promoted"]
    assert service.get("/versions/digits/1")["state"] == "old"
    assert service.post("/versions/digits/1/promote", status=200)["version"] == 3
    assert "is the one that is served" in service.refused("POST", "/versions/digits/3/promote")
    assert "there is no version 9" in service.refused("POST", "/versions/digits/9/promote")


def test_candidates_and_old_versions_are_deleted(service: Service) -> None:
    for result in (1, 2):
        add(service, "digits", result, is_served=True)
    add(service, "digits", 3)

    assert service.client.delete("/versions/digits/1").status_code == 200
    assert service.client.delete("/versions/digits/3").status_code == 200

    assert [each["version"] for each in service.get("/versions/digits")] == [2]
    assert "promote another one first" in service.refused("DELETE", "/versions/digits/2")
    assert "there is no version of other" in service.refused("DELETE", "/versions/other/1")


def test_old_versions_make_room_for_new_ones(service: Service) -> None:
    for result in range(1, 8):
        add(service, "digits", result, is_served=True)

    assert [each["version"] for each in service.get("/versions/digits")] == [7, 6, 5, 4, 3]


def test_a_store_that_cannot_be_written_is_the_reason(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(30, "Read-only file system", "/models/digits/2")

    monkeypatch.setattr(Path, "rename", fails)
    monkeypatch.setattr("training.versions.store._numbers", lambda _: [1, 2])
    monkeypatch.setattr("training.versions.library.Library.models", lambda _: ["digits"])

    assert service.refused("DELETE", "/versions/digits/1") == "/models/digits/2: Read-only file system"


def test_a_served_version_is_downloaded_whole(service: Service, tmp_path: Path) -> None:
    add(service, "digits", 1, is_served=True)
    add(service, "digits", 2)

    answer = service.client.get("/versions/digits/1/archive")

    assert answer.headers["content-type"] == KIND
    unpack(io.BytesIO(answer.content), tmp_path, 10_000)
    assert (tmp_path / "saved_model.pb").read_bytes() == b"model"
    assert service.client.get("/versions/digits/2/archive").status_code == 404


def test_a_jobs_version_becomes_a_candidate(service: Service, tmp_path: Path) -> None:
    result = service.deployment(seed=5)["results"][0]["id"]
    service.client.get(f"/results/{result}")

    answer = upload(service, result, archive(tmp_path / "exported"))

    assert (answer.status_code, answer.json()) == (200, {"version": 1})
    whole = service.get("/versions/digits/1")
    assert (
        whole.items()
        >= {
            "state": "candidate",
            "result": result,
            "deployment": 1,
            "model": "digits",
            "seed": 5,
            "code": "x",
            "parent": None,
        }.items()
    )
    assert (service.library.folder / "digits/candidates/1/saved_model.pb").read_bytes() == b"from a job"


def test_with_autoserve_it_is_served_at_once(service: Service, tmp_path: Path) -> None:
    result = service.deployment(autoserve=True)["results"][0]["id"]

    assert upload(service, result, archive(tmp_path / "exported")).status_code == 200

    assert service.get("/versions/digits/1")["state"] == "served"


def test_a_version_that_is_not_whole_is_refused_and_leaves_nothing(service: Service, tmp_path: Path) -> None:
    result = service.deployment()["results"][0]["id"]

    for content in (archive(tmp_path / "exported")[:-1024][:2000], b"<html>" * 1000, b""):
        answer = upload(service, result, content)
        assert answer.status_code == 400
        assert answer.json().startswith("the archive: ")

    assert [*(service.library.folder / "digits/candidates").iterdir()] == []
    assert "there is no result 9" in upload(service, 9, b"").json()


def test_a_job_may_try_again_when_the_store_is_full(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = service.deployment()["results"][0]["id"]
    content = archive(tmp_path / "exported")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/models/digits")

    with monkeypatch.context() as patch:
        patch.setattr("training.api.versions.unpack", full)
        answer = upload(service, result, content)
    assert (answer.status_code, answer.json()) == (
        503,
        {"detail": "/models/digits: No space left on device"},
    )

    assert upload(service, result, content).status_code == 200


def test_a_stopped_results_version_is_refused(service: Service, tmp_path: Path) -> None:
    result = service.deployment()["results"][0]["id"]
    service.post(f"/results/stop/{result}", status=200)

    assert "was stopped" in upload(service, result, archive(tmp_path / "exported")).json()


def test_a_version_that_is_too_large_is_refused(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = service.deployment()["results"][0]["id"]
    monkeypatch.setattr(bodies, "LARGEST_UPLOAD", 1000)

    answer = upload(service, result, archive(tmp_path / "exported"))

    assert (answer.status_code, answer.json()) == (400, "expected at most 1000 bytes")
