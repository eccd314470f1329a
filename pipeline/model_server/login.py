"""The login for a model server, or for the server of a label file."""

import base64
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.model_server.errors import ModelError
from pipeline.service.masking import remember


class Login(BaseModel):
    """User and password, or a token. Those in files are read for each request, so that they may change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str = Field("", description="the user's name")
    password: str = Field("", description="the password", repr=False)
    password_file: str = Field("", description="a file with the password")
    token: str = Field("", description="a bearer token", repr=False)
    token_file: str = Field("", description="a file with a bearer token")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        passwords, tokens = self.password or self.password_file, self.token or self.token_file
        if tokens and (self.user or passwords):
            raise ValueError("expected user and password, or a token, not both")
        if passwords and not self.user:
            raise ValueError("expected a user for the password")
        if (self.password and self.password_file) or (self.token and self.token_file):
            raise ValueError("expected a value or a file, not both")
        return self

    def header(self) -> str | None:
        """Return the value of the header Authorization, or None.

        Raises ModelError if a file cannot be read.
        """
        if self.token or self.token_file:
            return f"Bearer {self.token or _read(self.token_file)}"
        if not self.user:
            return None
        password = self.password or (_read(self.password_file) if self.password_file else "")
        credentials = base64.b64encode(f"{self.user}:{password}".encode()).decode()
        remember(credentials)
        return f"Basic {credentials}"


NO_LOGIN = Login()


def _read(path: str) -> str:
    try:
        text = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ModelError("login", f"cannot read the login from {path!r}: {reason}") from None
    if not text.isprintable():
        raise ModelError("login", f"expected one line in {path!r}, found several")
    remember(text)
    return text
