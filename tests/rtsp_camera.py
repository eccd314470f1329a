"""A camera for tests: serves pictures as H.264 over RTSP, in a loop, at 25 per second.

    /usr/bin/python3 -m tests.rtsp_camera PORT 'FOLDER/%04d.jpg' [PATH]

Runs with the system's Python, which has GStreamer's bindings; stream at rtsp://127.0.0.1:PORT/camera, or at
another PATH.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ADDRESS = "127.0.0.1"
PIPELINE = (
    "( multifilesrc location={pictures} loop=true caps=image/jpeg,framerate=25/1 ! jpegdec"
    " ! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25"
    " ! rtph264pay name=pay0 pt=96 )"
)


def main(port: str, pictures: str, path: str = "/camera") -> None:
    """Serve until killed."""
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(pictures=pictures))
    factory.set_shared(True)
    server = GstRtspServer.RTSPServer()
    server.set_address(ADDRESS)
    server.set_service(port)
    server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print("serving", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
