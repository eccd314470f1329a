"""Trained models on the model server of a run: the file that names them.

The training service keeps the file up to date: it adds each model that has a version to serve.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from compose.options import MODELS, ROOT, Options
from pipeline.service import state
from pipeline.service.trim import trimmed
from training.versions import config
from training.versions.library import CONFIG

OWN: Final = {"imagenet": ROOT / MODELS}
"""The models that the server serves in any case, with the folders of their versions."""


def folder(kept: Path, variables: Mapping[str, str]) -> Path:
    """Return the folder of the models: `MODELSTORE`, if that is set; otherwise one within the folder `kept`.

    Raises ValueError if the former names the home of nobody.
    """
    given = trimmed(variables.get("MODELSTORE", ""))
    return ROOT / state.expanded(Path(given)) if given else kept / "models"


def file(options: Options, kept: Path, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the file for the model server, and in one line what is wrong with it, or nothing.

    There is none if no model server or no training service is started. At first the file has only the
    server's own model, so that this is served at once, whatever has been trained before.
    """
    if not options.training_port or options.no_model or options.model_url:
        return "", ""
    try:
        place = folder(kept, variables)
        state.prepare(place)
        config.write(place / CONFIG, OWN)
    except ValueError:
        return "", ""  # the training service's settings are checked later
    except OSError as error:
        return "", f"MODELSTORE='{place}': {error.strerror}: trained models are not served"
    return str(place / CONFIG), ""
