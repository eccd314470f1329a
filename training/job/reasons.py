"""Why a training failed, in one line."""

from training.data.formats import Decoder


def numbers(found: Decoder) -> Decoder:
    """Return a decoder of numbers; raise ValueError for texts, which Keras takes only as its own tensors."""
    for name, column in (("data_type", found.values), ("label_type", found.keys)):
        if column is not None and column.dtype.kind in "OSU":
            raise ValueError(f"{name}: training on texts does not exist in this version: send numbers")
    return found


def storable(text: str) -> str:
    """Return a text as a database can store it, such as one with an exception of the user's code."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def line(error: BaseException) -> str:
    """Return an exception in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the disk'}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
