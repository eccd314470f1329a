"""Messages in protobuf's text format, from files that flags name."""

import logging
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)


def read(path: Path, message: M) -> M:
    """Return the message, filled with what a file says.

    Raises ServingError: NOT_FOUND where it cannot be read, INVALID_ARGUMENT where it is no such message.
    """
    try:
        text_format.Parse(path.read_bytes(), message)
    except OSError as error:
        raise ServingError(Code.NOT_FOUND, f"{path}; {error.strerror}") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        log.error("Error parsing text-format %s: %s", message.DESCRIPTOR.full_name, error)
        raise invalid(f"Invalid protobuf file: '{path}'") from error
    return message
