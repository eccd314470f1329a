"""Labels in JSON: lists, and objects such as COCO's."""

import json
import re
from typing import Any, Final

from consumer.labels.entries import FORMS, MOST_LABELS, MOST_VALUES, Entry, check, class_number, repeated

_LIST_MEMBERS: Final = ("categories", "labels", "names", "classes", "id2label", "label2id")
_NAME_MEMBERS: Final = ("display_name", "name", "label", "title")


def from_json(text: str) -> list[Entry]:
    """Return the labels in JSON; raise ValueError for anything else."""
    check(text.count("[") + text.count("{"), 2 * MOST_LABELS, "lists and objects")
    check(text.count(",") + 1, MOST_VALUES, "values")
    try:
        content = json.loads(text, object_pairs_hook=_without_duplicates, parse_int=class_number)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"expected {FORMS}, found invalid JSON: {error}") from None
    if isinstance(content, dict) and (inner := [name for name in _LIST_MEMBERS if _is_list(content, name)]):
        content = content[inner[0]]
    if isinstance(content, list):
        return [_from_item(index, item) for index, item in enumerate(content)]
    return _from_object(content)


def _is_list(content: dict[str, Any], name: str) -> bool:
    return isinstance(content.get(name), list | dict)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = repeated(name for name, _ in pairs)
        raise ValueError(f"expected each key once, found {twice[:40]!r} several times")
    return fields


def _from_item(index: int, item: Any) -> Entry:
    """Return a label of a JSON list: a string, or an object such as COCO's `{"id": 1, "name": "person"}`."""
    if isinstance(item, dict):
        name = next((item[key] for key in _NAME_MEMBERS if isinstance(item.get(key), str)), None)
        if name is not None:
            number = item.get("id", item.get("index"))
            return (number if isinstance(number, int) else None), name
    if not isinstance(item, str):
        raise ValueError(f"expected a string as label {index}, found {json.dumps(item)[:40]}")
    return None, item


def _from_object(content: dict[str, Any]) -> list[Entry]:
    """Return the labels of a JSON object from number to label, or from label to number."""
    if all(re.fullmatch(r"\d{1,6}", key) for key in content):
        return [(int(key), _label(key, value)) for key, value in content.items()]
    for key, value in content.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(
                "expected an object from number to label, or from label to number,"
                f" found {json.dumps({key: value}, ensure_ascii=False)[:60]}"
            )
    return [(value, key) for key, value in content.items()]


def _label(key: str, value: Any) -> str:
    """Return the label in a JSON object's member; Keras' list for ImageNet has `["n01440764", "tench"]`."""
    match value:
        case str():
            return value
        case [str(), str(label)]:
            return label
    raise ValueError(f"expected a string as label {key}, found {json.dumps(value)[:40]}")
