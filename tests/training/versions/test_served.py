"""A model server serves what is promoted, as `models.config` says."""

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.parts import ModelServer, free_port, get, wait_for
from tests.tfserving import toys
from training.versions.copying import copy
from training.versions.library import Library

LIMIT = 120.0  # s


def add(library: Library, folder: Path, factor: float, result: int) -> int:
    exported = toys.save(folder / f"exported-{result}", factor)

    def fill(part: Path) -> dict[str, Any]:
        copy(exported, part, 2**30)
        return {}

    return library.add("double", fill, {"result": result}, is_served=False)


def predicted(base: str) -> list[float]:
    request = urllib.request.Request(
        f"{base}/v1/models/double:predict", json.dumps({"instances": [1.0, 2.0]}).encode()
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[float] = json.loads(answer.read())["predictions"]
    return found


def versions(base: str) -> list[tuple[str, str]]:
    """Return the versions of the model that the server has, with their states."""
    try:
        found = json.loads(get(f"{base}/v1/models/double"))["model_version_status"]
    except OSError:
        return []
    return [(each["version"], each["state"]) for each in found]


def test_a_promoted_version_is_served_without_a_restart(tmp_path: Path) -> None:
    base_model = toys.save(tmp_path / "base/1").parent
    library = Library(tmp_path / "models", 5, {"imagenet": base_model})
    library.tidy()
    flags = (
        f"--model_config_file={library.folder / 'models.config'}",
        "--model_config_file_poll_wait_seconds=1",
        "--file_system_poll_wait_seconds=1",
    )

    with ModelServer(base_model, free_port(), tmp_path, *flags) as server:
        assert add(library, tmp_path, 3.0, 1) == 1
        assert add(library, tmp_path, 5.0, 2) == 2
        library.promote("double", 1)
        wait_for(lambda: ("1", "AVAILABLE") in versions(server.base), LIMIT, "version 1")
        assert predicted(server.base) == [3.0, 6.0]

        library.promote("double", 2)
        wait_for(lambda: ("2", "AVAILABLE") in versions(server.base), LIMIT, "version 2")
        assert predicted(server.base) == [5.0, 10.0]

        # Back to the one from before, under a new number.
        assert library.promote("double", 1) == 3
        wait_for(lambda: ("3", "AVAILABLE") in versions(server.base), LIMIT, "version 3")
        assert predicted(server.base) == [3.0, 6.0]
