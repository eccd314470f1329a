"""A frame's picture with the labels of one model only."""

from pipeline.wire import covered, jpeg
from pipeline.wire.frame import Frame

_LACKING = (
    "its pictures have the labels of several models, but not what they cover: update the consumer, do not set"
    " MODELSTREAMS=false there, and send smaller pictures"
)


class SeparateError(ValueError):
    """The labels of the other models cannot be removed; the text says why."""


def models_of(frame: Frame) -> list[str]:
    """Return the models that label a frame, in their order."""
    return list(dict.fromkeys(prediction.model for prediction in frame.predictions))


def obstacle(frame: Frame) -> str | None:
    """Return why a frame's models cannot be separated, in one line, or None."""
    return _LACKING if len(models_of(frame)) > 1 and not frame.covered else None


def separate(frame: Frame, model: str) -> bytes:
    """Return the JPEG as a consumer with this model alone would have stamped it; raise `SeparateError`.

    It takes about as long as stamping: call it in a thread, and only in one at a time.
    """
    # Imported here because fonts and OpenCV take memory that only these streams need.
    from pipeline.stamp import stamp  # noqa: PLC0415
    from pipeline.wire.picture import PictureError  # noqa: PLC0415

    try:
        plain = covered.restore(frame.jpeg, frame.covered)
        width, height = jpeg.size(plain, frame.width * frame.height)
        return stamp(frame._replace(jpeg=plain, width=width, height=height), None, model)
    except (covered.CoveredError, jpeg.JpegError, PictureError) as error:
        raise SeparateError(str(error)) from None
