"""What to change about a camera, from what was measured."""

from typing import Final

from producer.cameras.fields import duration
from producer.cameras.measure import Measured, Shape

_LARGE: Final = 1920 * 1088  # pixels; models look at less than a tenth of that
_OFTEN: Final = 1.5  # times as many frames as are published
_SELDOM: Final = 0.7
_HEAVY: Final = 0.5  # of a core
_FULL: Final = 6_000_000  # bytes/s of JPEGs: half a 100 Mbit/s network

CODECS: Final = {
    "h264": "H.264",
    "hevc": "H.265",
    "av1": "AV1",
    "libdav1d": "AV1",
    "mjpeg": "Motion JPEG",
    "picture": "a picture per request",
}
"""What codecs are called by their manuals."""

_HINTS: Final = (
    ("user name and password", "check them on the camera's own page; some cameras lock a user for minutes"),
    ("requires a password", "write it into the link, or give the link as - to be asked for it"),
    ("nothing at this path", "its manual names the path; discover --user lists it, if it knows ONVIF"),
    ("web page", "its manual names the path of the video; discover --user lists it, if it knows ONVIF"),
    ("host name is unknown", "write its address, or check the name with ping"),
    ("nothing answers at this port", "RTSP uses port 554, HTTP port 80: see the camera's network page"),
    ("cannot be reached", "check the address, the cable and the route to that network"),
    ("too many connections", "each viewer and recorder counts: close some, or use the sub-stream"),
    ("no answer within", "check the address and firewalls; a camera that starts may take a minute"),
    ("no data", "the camera accepts the connection and sends nothing: restart it, or try rtsp+udp://"),
    ("no picture within", "check the camera's codec: H.264 works everywhere"),
    ("(MAXPIXELS)", "use the camera's sub-stream, or raise MAXPIXELS for all services"),
)


def hint(cause: str) -> str | None:
    """Return what to try when a camera cannot be opened for this cause, or None."""
    return next((text for part, text in _HINTS if part in cause), None)


def advice(found: Measured, shape: Shape) -> list[str]:
    """Return what to change, a line each; nothing if all is well."""
    lines = []
    wanted = 1 / shape.interval
    if found.width * found.height > _LARGE and shape.factors == (1.0, 1.0):
        lines.append(
            f"{found.width} x {found.height} is more than models and pages need: use the camera's sub-stream"
            " (its manual names the path, discover lists it), or scale the picture (--scale 0.5, or"
            " IMAGESCALEX and IMAGESCALEY), which still costs its decoding"
        )
    if found.codec == "hevc":
        lines.append(
            "H.265 takes about twice as long to decode as H.264: set the camera, or its sub-stream, to H.264"
        )
    if found.codec != "picture" and found.rate > _OFTEN * wanted:
        cost = "sent for nothing" if found.passes else "sent, and mostly decoded, for nothing"
        lines.append(
            f"it sends {found.rate:.1f} frames/s, of which {wanted:.1f} are published (FRAMEINTERVAL or"
            f" --interval {duration(shape.interval)}): the others are {cost}; lower the camera's rate"
        )
    elif found.rate < _SELDOM * wanted and found.rate > 0:
        lines.append(
            f"it sends {found.rate:.1f} frames/s, fewer than the {wanted:.1f} that"
            f" {duration(shape.interval)} between two frames allows: raise its rate if you need them, unless"
            " this machine is too busy to read it"
        )
    if found.load > _HEAVY:
        lines.append(
            f"it takes {found.load:.0%} of a processor core: lower its resolution or rate, or raise"
            " --interval"
        )
    if found.size * found.published > _FULL:
        lines.append(
            f"its JPEGs take {found.size * found.published / 1e6:.1f} MB/s of the network to Kafka: lower its"
            " resolution, rate or JPEG quality"
        )
    if found.codec in ("mjpeg", "picture") and not found.passes:
        lines.append(
            "its JPEGs are decoded and encoded again: without scaling and turning, and upright, they would be"
            " published as they are"
        )
    if found.bad:
        lines.append(f"{found.bad} frames held no picture: check the network, or send the video over TCP")
    return lines
