"""How clients log in, as OpenAPI describes it."""

from typing import Any, Final

from pipeline.access.session import COOKIE

_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A user's token, or without a users file the one in the link that the service prints",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "A user's name, and one of the user's tokens as the password",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "What a login gives"},
}


def add(description: dict[str, Any]) -> dict[str, Any]:
    """Add the ways to log in to an OpenAPI description; without any, a visitor may do what anyone may."""
    description.setdefault("components", {})["securitySchemes"] = _SCHEMES
    description["security"] = [{}, *({name: []} for name in _SCHEMES)]
    return description
