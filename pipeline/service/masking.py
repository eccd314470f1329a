"""Keeps secrets out of everything that is printed.

`mask` recognises the secrets in a link by where they stand. `learn` remembers those of settings, and `hide`
replaces them in any text: as they are, percent-encoded, and in base64. That includes what others write, such
as a server that repeats the request in its error.
"""

import base64
import html
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

_SHORTEST: Final = 4  # characters: shorter texts stand in too many others
_WORD: Final = 8  # characters; shorter secrets are only replaced where they are a whole word
_STARS: Final = "***"
# Hiding these would garble the log. Where one of them is a password, it is still masked in links.
_COMMON: Final = """
    access admin administrator auth broker camera cameras channel client code consumer default demo door
    error failed false frame frames front guest home host http https info kafka key label labels live
    local localhost login main model models name none null onvif operator pass passwd password picture
    pictures private producer public root rtsp secret server service stream stream1 stream2 streamlens
    sub system test this token topic true unknown user username video viewer warning with
"""
_COMMON_WORDS: Final = frozenset(_COMMON.split())

# A name that has one of these in it is that of a secret.
_HINT: Final = (
    r"(?:pas(?!si|sen|t)|pw|ps[wk]|secret|token|key(?!frame|int|board|word)|auth(?!bearer|or(?!i))"
    r"|sig(?!n|alg|ht|ma)|signature|jwt|session|cred(?!it)|jaas|(?<!oauth)bearer|ticket|nonce|hmac"
    r"|(?<![a-z])(?:sid|sign|pin|otp|code)(?![a-z]))"
)
_NAME: Final = re.compile(rf"(?i){_HINT}(?!.*(?:location|file|path|url|tab|ms|type|\.id)$)")

# A user's name may contain an @ or a /, and a camera's path its password (user=x_password=y).
_LINK: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?s)^[^:/]+://[^:]*:(?P<secret>.*)@",
        # A URL whose scheme was forgotten or mistyped; not the path of a file.
        r"(?s)^(?![^:/]+://|\.{0,2}/(?!/))(?P<secret>[^/]*|[^:]*:.*)@",
        r"(?is)://(?:(?!%3A)[^:@/?#])*%3A(?P<secret>[^@:]*)@",
        r"(?is)://(?P<secret>[^:@/?#]{20,})@",  # a token in place of a user
        r"(?s)^[^:/]+://[^]:/?#@[]*:(?!\d*(?:[/?#]|$))(?P<secret>[^@/?#]+)(?=[/?#]|$)",  # no host, no port
        r"(?is)%3A%2F%2F(?P<secret>[^&]*)%40",  # a URL within the URL
        rf"(?is){_HINT}(?:(?!%3D)[^=&/?]){{,40}}(?:=|%3D)(?P<secret>[^&]*)",
        r"(?i)/(?:token|secret|passw(?:or)?d|auth|(?:[a-z]+[-_]|api|access|stream)?key)/(?P<secret>[^/?#&]+)",
        r"(?s)^(?!file:)[^:/]+://.*?/(?=[^/?#]*[a-z])(?=[^/?#]*[A-Z])(?=[^/?#]*\d)(?P<secret>[a-zA-Z0-9]{16,}|[\w-]{24,})(?![^/?#])",
    )
)
# The names and values of a JSON object, whose quotes may be escaped, and which may not be valid.
_MEMBER: Final = re.compile(rf'(?is){_HINT}[^"]*"\s*:\s*(?P<secret>.*)')
_VALUE: Final = re.compile(rf'(?is){_HINT}[^"=]*"?\s*[:=]\s*\\?"(?P<secret>.*?)\\?"')
_ESCAPED: Final = re.compile(r'\s*\{\s*\\"')
_WORDS: Final = re.compile(r"""[^\s"']+""")
_PUNCTUATION: Final = ".,;:)]}>`"
_LONGEST: Final = 2000  # characters of a word that may be a link
_END: Final = re.compile(r"[&;/?#\s]|_[^=_&]*=")

_NOTHING: Final = "(?!)"
_FOR_URLS: Final = str.maketrans("+/", "-_")

_MOST_READ: Final = 100  # secrets that were read from files, which may change

_lock = threading.Lock()
_set = frozenset[str]()  # in settings
_read = deque[str](maxlen=_MOST_READ)
_pattern: re.Pattern[str] | None = None


def mask(link: str) -> str:
    """Return a link that is safe to print: passwords and tokens become `***`."""
    return _masked(link, [])


def mask_setting(value: str) -> str:
    """Return a setting's value, safe to print: a link, or a JSON object that may contain some."""
    if not value.lstrip().startswith("{"):
        return mask(value)
    value = _replaced(_MEMBER, value, [])
    return re.sub(r'[^\s"\\]*://[^"]+', lambda link: mask(link[0]), value)


def learn(*settings: str) -> None:
    """Remember the secrets in these settings, links and JSON objects, in place of those before."""
    global _set, _pattern  # noqa: PLW0603
    with _lock:
        _set = frozenset(secret for setting in settings for secret in _of_setting(setting))
        _pattern = None


def remember(secret: str) -> None:
    """Let `hide` replace a secret that was read from a file, until many others have been read."""
    global _pattern  # noqa: PLW0603
    with _lock:
        if secret not in _read:
            _read.append(secret)
            _pattern = None


def remember_link(link: str) -> None:
    """Let `hide` replace the secrets of a link that is not a setting; see `remember`."""
    for secret in _of_setting(link):
        remember(secret)


def hide(text: str) -> str:
    """Return a text without the secrets that are known, and with its links masked."""
    text = (_pattern or _prepared()).sub(_STARS, text)
    return _WORDS.sub(lambda word: _masked_word(word[0]), text)


def _prepared() -> re.Pattern[str]:
    global _pattern  # noqa: PLW0603
    with _lock:
        secrets = filter(_is_telling, (*_set, *_read))
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
        ways = [
            re.escape(form) if len(form) >= _WORD else rf"(?<!\w){re.escape(form)}(?!\w)"
            for form in sorted(forms, key=len, reverse=True)
        ]
        _pattern = re.compile("|".join(ways) or _NOTHING)
        return _pattern


def _is_telling(secret: str) -> bool:
    """Return whether a secret hardly stands in a text by chance, as a short number or a common word does.

    Where slashes are missing, `rtsp:` looks like the beginning of one.
    """
    word = secret.lower().removesuffix(":")
    return not (secret.isdecimal() and len(secret) < _WORD) and word not in _COMMON_WORDS


def _forms(secret: str) -> Iterator[str]:
    """Yield how a secret may be written."""
    lines = (line for line in secret.splitlines() if "-----" not in line)  # of a key in PEM
    for text in {secret, unquote(secret), *lines}:
        data = text.encode(errors="surrogatepass")
        yield from (text, quote(data, safe=""), quote(data), quote_plus(data), html.escape(text))
        yield from (_base64(data), _base64(data).translate(_FOR_URLS))
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])


@lru_cache(maxsize=1000)  # in a log, most of these words are the same
def _masked_word(word: str) -> str:
    """Return a word with its secrets masked if it is a link, or the path and parameters of one."""
    is_link = "://" in word or ("/" in word and re.search("[?&;]", word))
    if not is_link or "//USER:PASSWORD@" in word or "//HOST" in word:  # what a link should look like
        return word
    link = word.rstrip(_PUNCTUATION)
    return (mask(link) if len(link) <= _LONGEST else _STARS) + word[len(link) :]


def _masked(link: str, found: list[str]) -> str:
    for pattern in _LINK:
        link = _replaced(pattern, link, found)
    return link


def _replaced(pattern: re.Pattern[str], text: str, found: list[str]) -> str:
    def star(match: re.Match[str]) -> str:
        found.append(match["secret"])
        begin, end = (place - match.start() for place in match.span("secret"))
        return f"{match[0][:begin]}{_STARS}{match[0][end:]}"

    return pattern.sub(star, text)


def _of_setting(value: str) -> Iterator[str]:
    with suppress(ValueError, RecursionError):
        plain = json.loads(f'"{value}"', strict=False) if _ESCAPED.match(value) else value
        yield from _of_json(json.loads(plain))
        return
    for found in _VALUE.finditer(value):
        yield found["secret"]
    for link in re.findall(r'[^\s"\\]+://[^"]+', value) if "{" in value else [value]:
        yield from _of_link(link)


def _of_link(link: str) -> Iterator[str]:
    found: list[str] = []
    _masked(link, found)
    for secret in found:
        yield secret
        yield _END.split(secret, maxsplit=1)[0]
        yield unquote(secret).rpartition(":")[2]
    with suppress(ValueError):
        parts = urlsplit(link)
        if parts.password:
            yield parts.password
            user, password = unquote(parts.username or ""), unquote(parts.password)
            yield _base64(f"{user}:{password}".encode(errors="surrogatepass"))


def _of_json(value: Any, *, is_secret: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _of_json(inner, is_secret=is_secret or bool(_NAME.search(name)))
    elif isinstance(value, list):
        for inner in value:
            yield from _of_json(inner, is_secret=is_secret)
    elif isinstance(value, str):
        if is_secret:
            yield value
            yield from (match["secret"] for match in _VALUE.finditer(value))
        yield from _of_link(value)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
