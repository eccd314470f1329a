"""Decrypts the parts of HLS with AES-128 (RFC 8216, 5.2), with FFmpeg's own AES: Python has none."""

from base64 import b64encode

import av

from producer.sources.source import CaptureError


def decrypted(data: bytes, key: str, iv: str) -> bytes:
    """Return what was encrypted with AES-128-CBC and PKCS#7; key and vector are in hexadecimal.

    Raises `CaptureError` if that is not possible. A wrong key gives other bytes.
    """
    address = f"crypto:data:application/octet-stream;base64,{b64encode(data).decode()}"
    # Nothing is opened but the data in the address itself.
    options = {"key": key, "iv": iv, "protocol_whitelist": "crypto,data", "format_whitelist": "data"}
    try:
        with av.open(address, format="data", options=options) as container:
            return b"".join(bytes(packet) for packet in container.demux() if packet.size)
    except (av.FFmpegError, ValueError):
        raise CaptureError("its encrypted video cannot be decrypted") from None
