"""Settings of services that follow the topic of cameras."""

from pathlib import Path

from pydantic import Field, SecretStr

from pipeline.cameras.seal import Seal, SealError
from pipeline.service.settings import Settings, SettingsError
from pipeline.service.values import Topic


class CamerasTopicSettings(Settings):
    """Where the cameras are listed."""

    camerastopic: Topic | None = Field(
        None, description="the compacted topic that lists the cameras, such as cameras"
    )


class CamerasSettings(CamerasTopicSettings):
    """Where the cameras are listed, and the keys to their links."""

    cameraskey: SecretStr = Field(
        SecretStr(""),
        description="Fernet keys to the links in CAMERASTOPIC, separated by commas; the first encrypts",
    )
    cameraskeyfile: Path | None = Field(
        None, description="a file with such keys, one per line, used if CAMERASKEY is not set"
    )

    def seal(self) -> Seal:
        """Return what encrypts and decrypts links; raise `SettingsError` if a key is not one."""
        name, text = "CAMERASKEY", self.cameraskey.get_secret_value()
        if not text and self.cameraskeyfile is None:
            return Seal()
        if not text:
            name = f"CAMERASKEYFILE='{self.cameraskeyfile}'"
            text = self._read(name)
        keys = [key for part in text.split(",") for key in part.split()]
        try:
            if not keys:  # links would be written in clear
                raise SealError(
                    "expected a Fernet key, found none: python -m producer.cameras key prints one"
                )
            return Seal(keys, name)
        except SealError as error:
            raise SettingsError(f"{name}: {error}") from None

    def _read(self, name: str) -> str:
        try:
            return self.cameraskeyfile.read_text(encoding="ascii") if self.cameraskeyfile else ""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not a text in ASCII"
            raise SettingsError(
                f"{name}: cannot be read: {reason}: expected a file with Fernet keys, one per line, that this"
                " user may read"
            ) from None
