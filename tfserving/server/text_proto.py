"""Read messages in protobuf's text format from the files that flags name."""

import logging
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)


def read(path: Path, message: M, *, is_secret: bool = False) -> M:
    """Fill the message from a file and return it; if it is secret, an error names only the place.

    Raises ServingError: NOT_FOUND if the file cannot be read, INVALID_ARGUMENT if it cannot be parsed.
    """
    try:
        text_format.Parse(path.read_bytes(), message)
    except OSError as error:
        raise ServingError(Code.NOT_FOUND, f"{path}; {error.strerror}") from error
    except text_format.ParseError as error:
        raise _invalid(
            path, message, f"{error.GetLine()}:{error.GetColumn()}" if is_secret else error
        ) from None
    except UnicodeDecodeError as error:
        raise _invalid(path, message, error) from None
    return message


def _invalid(path: Path, message: Message, said: object) -> ServingError:
    log.error("Error parsing text-format %s: %s", message.DESCRIPTOR.full_name, said)
    return invalid(f"Invalid protobuf file: '{path}'")
