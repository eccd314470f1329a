"""ONVIF: finds cameras, and asks them for the addresses of their streams.

It needs packages that only this command uses; `package` says how to install them.
"""

from importlib.util import find_spec

from producer.cameras.errors import CommandError


def package() -> None:
    """Raise `CommandError` unless the packages for ONVIF are installed."""
    if find_spec("onvif") is None or find_spec("lxml") is None:
        raise CommandError(
            "ONVIF needs packages that are not installed here:"
            " pip install --require-hashes -r producer/cameras/onvif/requirements.txt"
        )
