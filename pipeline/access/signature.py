"""Signed values, which only a server with the same users file can make."""

import hashlib

from itsdangerous import URLSafeSerializer


def signer(secret: str, purpose: str) -> URLSafeSerializer:
    """Return what signs and reads the values of one purpose; values of another are invalid."""
    options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeSerializer(secret, salt=f"streamlens.{purpose}", signer_kwargs=options)
