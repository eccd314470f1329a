"""MJPEG over HTTP (multipart/x-mixed-replace)."""
