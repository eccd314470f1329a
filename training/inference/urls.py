"""URLs of models on TensorFlow Serving, as the settings and the API take them."""

from pipeline.model_server.url import ModelUrl


def model_server(text: object) -> object:
    """Return the URL of a model, or an empty text; raise ValueError if it is not a model's.

    Anything but a text passes unchanged.
    """
    if isinstance(text, str) and text:
        ModelUrl.parse(text)
    return text
