"""The API: cameras, label history and its pictures, as JSON and as server-sent events."""
