"""The API: cameras, the history of labels and its pictures, as JSON and as server-sent events."""
