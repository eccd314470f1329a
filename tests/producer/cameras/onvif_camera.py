"""An ONVIF camera for tests: WS-Discovery on UDP, and SOAP services for the device and its media."""

import base64
import hashlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error">'
    "<s:Body>{}</s:Body></s:Envelope>"
)
_NOT_AUTHORIZED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>"
    '</s:Code><s:Reason><s:Text xml:lang="en">Sender not Authorized</s:Text></s:Reason></s:Fault>'
)
_MATCH = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header>'
    "<w:RelatesTo>{number}</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>"
    "<d:Scopes>onvif://www.onvif.org/name/Front%20door onvif://www.onvif.org/hardware/X1</d:Scopes>"
    "<d:XAddrs>{xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
)
PROFILES = (
    ("main4k", "Main", 3840, 2160, 25, "H264"),
    ("sub1", "Sub", 1280, 720, 20, "H264"),
    ("tiny", "Tiny", 320, 240, 5, "JPEG"),
)


@dataclass
class OnvifCamera:
    """Answers on 127.0.0.1, with the password `secret pass` for `admin`, until the block ends.

    `stream` is the host and port in the addresses of its streams, `xaddr` the URL of its media service, if
    that is another one. `clock` is how far its clock is off, in s; logins may be 5 s old. `answers` replaces
    whole answers, by the name of the question; None keeps silent.
    """

    stream: str = ""
    xaddr: str = ""
    xaddrs: str = ""
    clock: float = 0.0
    digest: bool = False
    answers: dict[str, bytes | None] = field(default_factory=dict)
    profiles: tuple[tuple[str, str, int, int, int, str], ...] = PROFILES
    host: str = "127.0.0.1"
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                camera.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def link(self) -> str:
        """The link with which it is added."""
        return f"onvif://admin:secret%20pass@{self.host}:{self.port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        found = re.search(r"<(?:\w+:)?(Get\w+)", body.partition("Body")[2])
        question = found[1] if found else ""
        self.asked.append(question)
        if question in self.answers:
            given = self.answers[question]
            if given is None:
                self.ended.wait(30)
                return
            _send(handler, 200, given)
            return
        if question != "GetSystemDateAndTime" and not self._may(handler, body):
            return
        status, text = 200, self._of(question, body)
        _send(handler, status, _SOAP.format(text).encode())

    def _may(self, handler: BaseHTTPRequestHandler, body: str) -> bool:
        if self.digest:
            if "Digest " in handler.headers.get("Authorization", ""):
                return True
            _send(handler, 401, b"", **{"WWW-Authenticate": 'Digest realm="x", nonce="y", qop="auth"'})
            return False
        if _is_login(body, self.clock):
            return True
        _send(handler, 400, _SOAP.format(_NOT_AUTHORIZED).encode())
        return False

    def _of(self, question: str, body: str) -> str:
        here = f"http://{self.host}:{self.port}"
        if question == "GetSystemDateAndTime":
            now = datetime.now(UTC) + timedelta(seconds=self.clock)
            return (
                "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
                "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time>"
                f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
                f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
                f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
                "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
            )
        if question == "GetDeviceInformation":
            return (
                "<tds:GetDeviceInformationResponse><tds:Manufacturer>ACME</tds:Manufacturer>"
                "<tds:Model>X1</tds:Model><tds:FirmwareVersion>1</tds:FirmwareVersion>"
                "<tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
                "</tds:GetDeviceInformationResponse>"
            )
        if question == "GetCapabilities":
            return (
                "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media>"
                f"<tt:XAddr>{self.xaddr or f'{here}/onvif/media'}</tt:XAddr><tt:StreamingCapabilities/>"
                "</tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
            )
        if question == "GetProfiles":
            profiles = "".join(map(_profile, self.profiles))
            return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"
        token = re.search(r"ProfileToken>([^<]*)<", body)
        path = token[1] if token else ""
        scheme, place = (
            ("rtsp", self.stream or f"{self.host}:8554") if "Stream" in question else ("http", here[7:])
        )
        return (
            f"<trt:{question}Response><trt:MediaUri><tt:Uri>{scheme}://{place}/{path}?x=1&amp;y=2</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false"
            f"</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:{question}Response>"
        )


class Discoverable:
    """Answers WS-Discovery's question on UDP port 3702 of an address, until the block ends."""

    def __init__(self, host: str, xaddrs: str, first: bytes = b"") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 3702))
        self._socket.settimeout(0.1)
        self._xaddrs = xaddrs
        self._first = first
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(10)
        self._socket.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                data, asker = self._socket.recvfrom(65536)
            except OSError:
                continue
            number = re.search(rb"MessageID>([^<]*)<", data)
            if self._first:
                self._socket.sendto(self._first, asker)
            if number:
                answer = _MATCH.format(number=number[1].decode(), xaddrs=self._xaddrs)
                self._socket.sendto(answer.encode(), asker)


def _is_login(body: str, clock: float) -> bool:
    """Whether a message has a UsernameToken of admin, which is not older than 5 s by the camera's clock."""
    found = {
        name: match[1] for name in ("Username", "Password", "Nonce", "Created")
        if (match := re.search(rf"{name}(?: [^>]*)?>([^<]*)<", body))
    }  # fmt: skip
    if len(found) < 4 or found["Username"] != "admin":
        return False
    created = datetime.fromisoformat(found["Created"]).timestamp()
    if abs(created - (time.time() + clock)) > 5:
        return False
    plain = base64.b64decode(found["Nonce"]) + found["Created"].encode() + b"secret pass"
    return base64.b64encode(hashlib.sha1(plain).digest()).decode() == found["Password"]


def _profile(profile: tuple[str, str, int, int, int, str]) -> str:
    token, name, width, height, rate, codec = profile
    return (
        f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{name}</tt:Name>'
        f'<tt:VideoEncoderConfiguration token="v"><tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount>'
        f"<tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
        f"<tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality><tt:RateControl>"
        f"<tt:FrameRateLimit>{rate}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
        "<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl><tt:Multicast><tt:Address><tt:Type>IPv4"
        "</tt:Type></tt:Address><tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart>"
        "</tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
        "</trt:Profiles>"
    )


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/soap+xml; charset=utf-8")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
