"""Names of models as names of folders."""

from urllib.parse import quote, unquote


def folder_name(model: str) -> str:
    """Return a model's name as the name of a folder: slashes and the like are percent-encoded."""
    text = "".join(quote(each, safe="") if each in '/\\%:*?"<>|' or each < " " else each for each in model)
    return text.replace(".", "%2E", 1) if text.startswith(".") else text


def model_name(folder: str) -> str:
    """Return the name of the model in a folder."""
    return unquote(folder)
