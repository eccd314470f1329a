"""Secrets that are to be found in any text, and next to any other."""

from typing import Final

from pipeline.service.masking import hide, learn, mask, mask_setting

_SECRET: Final = "hunter2-7retnuh"


def masking(data: bytes) -> None:
    """Take a text for a link, a setting, and a line of a log."""
    text = data.decode(errors="surrogateescape")
    mask_setting(text)
    assert _SECRET not in mask(f"rtsp://joe:{text}{_SECRET}@host/")
    assert _SECRET not in mask(f"http://host/?password={_SECRET}&{text}")
    learn(text, f'{{"sasl.password": "{_SECRET}"}}')
    assert _SECRET not in hide(f"{text}{_SECRET}{text}")


def texts() -> list[bytes]:
    """Return links, settings and lines with secrets."""
    return [
        b"rtsp://joe:p%40ss@[fd00::1]:554/user=ann_password=secret_channel=1.sdp?real_stream",
        b"https://host/a;token=secret/b?url=rtsp%3A%2F%2Fjoe%3Asecret%40camera&X-Amz-Signature=secret#sid=x",
        b"rtsps://host:7441/aBcDeFgH12345678?enableSrtp",
        b'{"sasl.password": "secret", "ssl.key.pem": "-----BEGIN KEY-----\\nMIIE\\n-----END KEY-----"}',
        b'{"imagenet_1": {"url": "http://joe:secret@host/v1/models/a:predict", "token": ["secret"]}}',
        rb"{\"sasl.jaas.config\": \"Module required username=\\\"joe\\\" password=\\\"secret\\\";\"}",
        b"GET /labels.json?sig=secret of 'http://host/', see http://USER:PASSWORD@... or http://HOST:PORT/",
    ]
