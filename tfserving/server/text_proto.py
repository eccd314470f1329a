"""Read messages in protobuf's text format from the files that flags name."""

import logging
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)


def read(path: Path, message: M) -> M:
    """Fill the message from a file and return it.

    Raises ServingError: NOT_FOUND if the file cannot be read, INVALID_ARGUMENT if it cannot be parsed.
    """
    try:
        text_format.Parse(path.read_bytes(), message)
    except OSError as error:
        raise ServingError(Code.NOT_FOUND, f"{path}; {error.strerror}") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        log.error("Error parsing text-format %s: %s", message.DESCRIPTOR.full_name, error)
        raise invalid(f"Invalid protobuf file: '{path}'") from error
    return message
