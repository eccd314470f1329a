"""The file for TensorFlow Serving's flag `--model_config_file`."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write(file: Path, models: Mapping[str, Path]) -> None:
    """Write which models are served, by name, each from the folder of its versions, with its whole path.

    The file is replaced at once, and only if something has changed. Raises OSError.
    """
    text = "".join(
        f'  config {{ name: "{_escaped(name)}" base_path: "{_escaped(str(folder.absolute()))}"'
        ' model_platform: "tensorflow" }\n'
        for name, folder in models.items()
    )
    whole = f"model_config_list {{\n{text}}}\n"
    with suppress(OSError):
        if file.read_text() == whole:
            return
    new = file.with_name(f".{file.name}.new")
    new.write_text(whole)
    new.replace(file)


def _escaped(text: str) -> str:
    """Return a text as protobuf's text format has it."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in text.encode()
    )
