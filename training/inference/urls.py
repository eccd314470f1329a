"""URLs of models on TensorFlow Serving, as the settings and the API take them."""

import re
from typing import Final

from pipeline.model_server.url import ModelUrl

_MODEL: Final = re.compile(r".*/v1/models/[^/:]+(/(versions|labels)/[^/:]+)?")


def model_server(text: object) -> object:
    """Return the URL at which a model predicts, or an empty text; raise ValueError if it is not a model's.

    The URL may lack its `:predict`. Anything but a text passes unchanged.
    """
    if not isinstance(text, str) or not text:
        return text
    found = f"{text}:predict" if _MODEL.fullmatch(text) else text
    ModelUrl.parse(found)
    return found
