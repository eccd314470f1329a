"""Versions as tar streams."""

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.versions import archive as module
from training.versions.archive import ArchiveError, pack, unpack

MOST = 10_000

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=80)
paths = names.filter(
    lambda name: name not in (".", "..", "a", "b", "variables", "sha256.json") and len(name.encode()) < 200
)
contents = st.dictionaries(
    st.tuples(st.sampled_from(["", "variables/", "a/b/"]), paths), st.binary(), max_size=5
)


def tar(*members: tuple[str, bytes | str]) -> bytes:
    """Return an archive of files; a text is the target of a link."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@given(found=contents)
def test_what_is_packed_is_unpacked(
    found: dict[tuple[str, str], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for (folder, name), content in found.items():
        (source / folder).mkdir(parents=True, exist_ok=True)
        (source / folder / name).write_bytes(content)

    unpack(io.BytesIO(b"".join(pack(source))), target, MOST)

    assert files(target) == files(source)


def test_links_and_the_checksums_of_others_are_left_out(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "model").write_bytes(b"x" * 3_000_000)
    (source / "link").symlink_to("/etc/passwd")
    (source / "sha256.json").write_text("{}")

    unpack(io.BytesIO(b"".join(pack(source))), target, 10_000_000)

    assert files(target) == {"model": b"x" * 3_000_000}


@pytest.mark.parametrize("cut", [0, 300, 512, 600, 1024, 1300, 1536])
def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/model").write_bytes(b"model")
    whole = b"".join(pack(tmp_path / "source"))

    with pytest.raises(ArchiveError, match="the archive: "):
        unpack(io.BytesIO(whole[:cut]), tmp_path, MOST)


def test_an_archive_that_was_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/model").write_bytes(b"model")
    head, first, rest = b"".join(pack(tmp_path / "source")).partition(b"\0model\0")
    assert first

    with pytest.raises(ArchiveError, match="changed on its way"):
        unpack(io.BytesIO(head + b"\0other\0" + rest), tmp_path, MOST)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("../x", b"")], "'../x' is outside its folder"),
        ([("/x", b"")], "'/x' is outside its folder"),
        ([("a/../../x", b"")], "is outside its folder"),
        ([(".", b"")], "is outside its folder"),
        ([("x", "/etc/passwd")], "expected 'x' to be a file"),
        ([("x", b"1"), ("x", b"2")], "'x' more than once"),
        ([("x", b"1"), ("x/y", b"2")], "'y' more than once"),
        ([("x", bytes(MOST + 1))], "larger files"),
        ([("x", bytes(MOST)), ("y", b"1")], "larger files"),
        ([("x", b"1")], "cut off or changed"),
        ([("sha256.json", b"{")], "is not JSON"),
    ],
    ids=["above", "root", "between", "itself", "link", "twice", "folder", "large", "sum", "no sums", "sums"],
)
def test_what_is_not_a_version_is_refused(
    tmp_path: Path, members: list[tuple[str, bytes | str]], reason: str
) -> None:
    target = tmp_path / "target"
    target.mkdir()

    with pytest.raises(ArchiveError, match=reason):
        unpack(io.BytesIO(tar(*members)), target, MOST)

    assert [each.name for each in tmp_path.iterdir()] == ["target"]


def test_too_many_files_and_checksums_that_are_too_long_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FILES", 2)
    monkeypatch.setattr(module, "_SUMS_SIZE", 10)

    with pytest.raises(ArchiveError, match="more or larger files"):
        unpack(io.BytesIO(tar(("a", b""), ("b", b""), ("c", b""))), tmp_path, MOST)
    with pytest.raises(ArchiveError, match=r"its sha256.json is too large"):
        unpack(io.BytesIO(tar(("sha256.json", bytes(11)))), tmp_path / "other", MOST)


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(bytes(3 * 2**20))
    chunks = pack(tmp_path)
    next(chunks)
    next(chunks)
    os.truncate(tmp_path / "model", 100)

    with pytest.raises(OSError, match="became shorter"):
        list(chunks)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="expected a tar stream"):
        unpack(io.BytesIO(b"<html>" * 1000), tmp_path, MOST)
