"""Known devices: a signed cookie, set by a successful login, names the user it belongs to.

Other people's failed attempts do not lock out such a device. See
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final

from itsdangerous import BadData

from pipeline.access import cookies as cookie
from pipeline.access.signature import signer
from pipeline.access.users import Users

LENGTH: Final = 400 * 24 * 3600
"""The age in s up to which the cookie counts; browsers keep none for longer."""


class Devices:
    """Issues the cookies, and reads them; `clock` returns seconds since the epoch."""

    def __init__(self, users: Users, clock: Callable[[], float] = time.time) -> None:
        self._users = users
        self._clock = clock

    def issue(self, name: str) -> str:
        """Return the value of the cookie for a device on which this user has just logged in."""
        content = [name, int(self._clock()), secrets.token_urlsafe(9)]
        return str(signer(self._users.secret, "device").dumps(content))

    def find(self, name: str, cookies: str) -> str:
        """Return the id of the device if it belongs to this user; empty if no cookie says so."""
        for value in cookie.values(cookies, cookie_name(name)):
            try:
                holder, issued, identity = signer(self._users.secret, "device").loads(value)
                if holder == name and self._clock() < issued + LENGTH:
                    return str(identity)
            except (BadData, TypeError, ValueError):  # the last two: from another version of this server
                continue
        return ""


def cookie_name(name: str) -> str:
    """Return the name of a user's cookie; several users may share a browser."""
    return "streamlens-device-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
