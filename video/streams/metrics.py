"""Metrics of the streams that are counted per camera."""

from typing import Final

from prometheus_client import Counter, Gauge

from video.cameras.camera import Camera, Listed

STREAM_CLIENTS: Final = Gauge("streamlens_stream_clients", "Clients watching a camera's MJPEG", ["camera"])
STREAM_SENT: Final = Counter("streamlens_stream_frames_sent", "Frames written to MJPEG clients", ["camera"])
SOCKET_SENT: Final = Counter("streamlens_socket_pictures_sent", "Pictures written to WebSockets", ["camera"])
SOCKET_SKIPPED: Final = Counter(
    "streamlens_socket_pictures_skipped",
    "Pictures replaced by a newer one before a WebSocket took them",
    ["camera"],
)
NOT_SCALED: Final = Counter(
    "streamlens_pictures_not_scaled", "Pictures that could not be decoded to scale them", ["camera"]
)
NOT_SEPARATED: Final = Counter(
    "streamlens_pictures_not_separated",
    "Pictures that could not be shown with the labels of one model only",
    ["camera"],
)
_OF_CAMERAS: Final = (
    STREAM_CLIENTS,
    STREAM_SENT,
    SOCKET_SENT,
    SOCKET_SKIPPED,
    NOT_SCALED,
    NOT_SEPARATED,
)


class CameraMetrics:
    """Listens to all cameras, and removes the samples of those that are gone."""

    def frame(self, camera: Camera) -> None:
        """Do nothing: the streams count what they send."""

    def changed(self, camera: Listed) -> None:
        """Do nothing."""

    def gone(self, name: str) -> None:
        """Remove a camera's samples."""
        for metric in _OF_CAMERAS:
            metric.remove(name)
