"""A SavedModel's graph loaded into a session, and TensorFlow's failures as those of this server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfserving.runtime import tf
from tfserving.server.errors import Code, ServingError

_FILES = ("saved_model.pb", "saved_model.pbtxt")


def load(session: Any, folder: Path, tags: tuple[str, ...]) -> Mapping[str, Any]:
    """Load the graph that has the tags, and return its SignatureDefs by name.

    Raises ServingError: NOT_FOUND where there is no such graph, DATA_LOSS where the file cannot be read as
    one, else with the code of TensorFlow.
    """
    try:
        with session.graph.as_default():
            definitions = tf.compat.v1.saved_model.load(session, list(tags), str(folder)).signature_def
            return dict(definitions.items())
    except tf.errors.OpError as error:
        raise failure(error) from error
    except OSError as error:
        found = any((folder / name).exists() for name in _FILES)
        raise ServingError(Code.DATA_LOSS if found else Code.NOT_FOUND, str(error)) from error
    except RuntimeError as error:
        # No graph of the SavedModel has these tags.
        raise ServingError(Code.NOT_FOUND, str(error)) from error
    except (TypeError, ValueError, KeyError) as error:
        raise ServingError(Code.INVALID_ARGUMENT, str(error)) from error


def failure(error: Any) -> ServingError:
    """Return the failure that an OpError is: the same code and text."""
    try:
        code = Code(error.error_code)
    except ValueError:
        code = Code.UNKNOWN
    return ServingError(code, error.message)
