"""Load a SavedModel's graph into a session, and convert TensorFlow's errors to this server's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfserving.runtime import tf
from tfserving.server.errors import Code, ServingError, reason

_FILES = ("saved_model.pb", "saved_model.pbtxt")


def load(session: Any, folder: Path, tags: tuple[str, ...]) -> Mapping[str, Any]:
    """Load the graph that has the tags, and return its SignatureDefs by name.

    Raises ServingError: NOT_FOUND if there is no such graph, DATA_LOSS if the file cannot be parsed,
    otherwise with TensorFlow's code.
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
    """Return the ServingError with the code and message of an OpError."""
    try:
        code = Code(error.error_code)
    except ValueError:
        code = Code.UNKNOWN
    return ServingError(code, reason(error.message))
