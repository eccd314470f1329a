"""Cameras as YAML: what `export` writes and `apply` reads.

cameras:
  door:
    link: rtsp://192.168.1.20/stream1
    interval: 40ms
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.seal import Seal, SealError, is_sealed
from producer.cameras import fields
from producer.cameras.errors import CommandError

MASKED: Final = "***"

_HEAD: Final = """\
# Cameras of Streamlens. To restore them, or to add and change cameras as written here:
#     python -m producer.cameras apply -f FILE
"""
_SEALED: Final = """\
# Links are encrypted as in the topic, so this file is safe to store. CAMERASKEY, which decrypts them, is not
# in it: keep it elsewhere. `export --links` writes the links in clear.
"""
_MASKED: Final = """\
# Passwords in links are masked, because there is no CAMERASKEY to encrypt them with: cameras that exist keep
# theirs, but this file cannot restore them. `export --links` writes the links in clear.
"""
_CLEAR: Final = """\
# Links are in clear, WITH THEIR PASSWORDS: keep this file as you keep a key.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A camera of a file: where it is written, and its fields."""

    place: str
    fields: Mapping[str, Any]


def written(cameras: Mapping[str, CameraRecord], seal: Seal, *, has_key: bool, links: bool) -> str:
    """Return cameras as YAML: with links in clear, encrypted, or if there is no key, masked."""
    found: dict[str, Any] = {}
    for name, camera in cameras.items():
        found[name] = {"link": _link(camera.link, seal, has_key=has_key, clear=links)}
        found[name] |= {key: value for key, value in fields.plain(camera).items() if key != "link"}
    is_masked = any(MASKED in camera["link"] for camera in found.values())
    head = _HEAD + (_CLEAR if links else _MASKED if is_masked else _SEALED)
    text: str = yaml.safe_dump(
        {"cameras": found}, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=False
    )
    return head + text


def read(text: str, file: str) -> dict[str, Entry]:
    """Return the cameras of a YAML text; raise `CommandError` with a line for each wrong entry.

    Links are checked, and stay masked or encrypted if they are. No camera is asked: `onvif://` stays, too.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CommandError(f"{file}: {_problem(error)}") from None
    except RecursionError:
        raise CommandError(f"{file}: its lists or mappings are nested too deeply") from None
    if not isinstance(root, yaml.MappingNode) or [key.value for key, _ in root.value] != ["cameras"]:
        raise CommandError(f"{file}: expected a mapping with the single key cameras:, then NAME: and fields")
    (_, cameras) = root.value[0]
    if isinstance(cameras, yaml.ScalarNode) and cameras.tag.endswith(":null"):
        return {}
    if not isinstance(cameras, yaml.MappingNode):
        raise CommandError(f"{_place(file, cameras)}: expected names of cameras, each with its fields")
    entries: dict[str, Entry] = {}
    wrong: list[str] = []
    for key, node in cameras.value:
        place = _place(file, key)
        if isinstance(key, yaml.ScalarNode):
            place += f", camera {key.value[:40]}"
        try:
            name = _name(key)
            if name in entries:
                raise CommandError(f"it is in the file twice, see {entries[name].place}")
            entries[name] = Entry(place, _fields(node))
        except CommandError as error:
            wrong.append(f"{place}: {error}")
    if wrong:
        raise CommandError("\n".join(wrong))
    return entries


def _link(link: str, seal: Seal, *, has_key: bool, clear: bool) -> str:
    try:
        if clear:
            return seal.open(link)
    except SealError:  # the key is elsewhere
        return link
    if is_sealed(link) or has_key:
        return seal.close(link)
    return fields.shown(link)


def _name(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise CommandError("expected a camera's name")
    return fields.check_name(str(key.value))


def _fields(node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise CommandError("expected fields, such as link: rtsp://192.168.1.20/stream1")
    if not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        raise CommandError("expected the names of fields, such as link: rtsp://192.168.1.20/stream1")
    names = [key.value for key, _ in node.value]
    for name in names:
        if name not in fields.NAMES:
            near = difflib.get_close_matches(name, fields.NAMES, n=1)
            raise CommandError(
                f"{name[:40]}: there is no such field; "
                + (f"did you mean {near[0]}?" if near else f"expected one of {', '.join(fields.NAMES)}")
            )
        if names.count(name) > 1:
            raise CommandError(f"{name}: it is set twice")
    loader = yaml.SafeLoader("")
    try:
        found: dict[str, Any] = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise CommandError(_problem(error)) from None
    finally:
        loader.dispose()
    # A device's number, and a group that is one.
    found |= {name: str(found[name]) for name in ("link", "group") if type(found.get(name)) is int}
    if isinstance(link := found.get("link"), str) and MASKED not in link and not fields.is_onvif(link):
        found["link"] = fields.check_link(link)
    fields.record(found)
    return found


def _place(file: str, node: yaml.Node) -> str:
    return f"{file}, line {node.start_mark.line + 1}"


def _problem(error: yaml.YAMLError) -> str:
    """Return in one line why a text is not YAML, without quoting it: it may hold a password."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"expected YAML: {problem or 'it is damaged'}" + (f", line {mark.line + 1}" if mark else "")
