"""Limits on what clients send to the stand-in for TensorFlow Serving."""

from typing import Final

from tests.limits.limit import Limit

_REST: Final = "tfserving.server.rest"
_RPC: Final = "tfserving.server.rpc"
_GRAPH: Final = "tfserving.server.graph"
_INVALID: Final = "400 or INVALID_ARGUMENT, with the reason"

LIMITS: Final = (
    Limit(
        "requests of a connection that wait for the answers to those before",
        f"{_REST}.protocol.MOST_PIPELINED",
        "",
        "400, and the connection is closed",
    ),
    Limit(
        "connections for REST",
        f"{_REST}.protocol.MOST_CONNECTIONS",
        "",
        "one of the client with the most is closed: the one that has waited longest for a request",
    ),
    Limit(
        "a request line with its headers",
        f"{_REST}.protocol.LONGEST_HEAD",
        "bytes",
        "431, and the connection is closed",
    ),
    Limit("until they arrive", f"{_REST}.protocol.LONGEST_HEAD_TIME", "s", "the connection is closed"),
    Limit("until an answer is read", f"{_REST}.protocol.LONGEST_UNREAD", "s", "the connection is closed"),
    Limit("a body, also unpacked", f"{_REST}.asgi.LARGEST_BODY", "bytes", "413 (unpacked: 400)"),
    Limit(
        "lists and objects within each other in JSON", "tfserving.server.json.parse.MOST_LEVELS", "", "400"
    ),
    Limit(
        "all bodies of more than 256 KiB, over REST and over gRPC each",
        "tfserving.server.held.MOST_HELD",
        "bytes",
        "503 or UNAVAILABLE for the largest that still arrives or waits, of the client with the most bytes",
    ),
    Limit(
        "models that have failed only, with metrics of their own",
        "tfserving.server.monitoring.monitoring.MOST_UNSERVED",
        "",
        "requests for others that fail are counted under an empty name",
    ),
    Limit(
        "the name of one",
        "tfserving.server.monitoring.monitoring.LONGEST_UNSERVED",
        "characters",
        "failed requests for it are counted under an empty name",
    ),
    Limit(
        "memory for the JSON of all requests",
        f"{_REST}.request.LARGEST_JSON",
        "bytes",
        "it waits; alone, 400",
    ),
    Limit("a message over gRPC", f"{_RPC}.methods.LARGEST_REQUEST", "bytes", "RESOURCE_EXHAUSTED"),
    Limit(
        "messages that arrive at the same time",
        f"{_RPC}.methods.MOST_ARRIVING",
        "",
        "DEADLINE_EXCEEDED for the oldest of the client with the most",
    ),
    Limit(
        "calls that wait or are answered",
        f"{_RPC}.methods.MOST_CALLS",
        "",
        "UNAVAILABLE for the one of the client with the most that has waited longest",
    ),
    Limit("until a message arrives", f"{_RPC}.methods.LONGEST_ARRIVAL", "s", "DEADLINE_EXCEEDED"),
    Limit("a call over gRPC", f"{_RPC}.calls.LONGEST_CALL", "s", "DEADLINE_EXCEEDED"),
    Limit("sizes of a shape, multiplied", f"{_GRAPH}.sizes.MOST_ELEMENTS", "", "INVALID_ARGUMENT"),
    Limit("dimensions of a tensor", f"{_GRAPH}.sizes.MOST_DIMENSIONS", "", "INVALID_ARGUMENT"),
    Limit("strings of a tensor", f"{_GRAPH}.sizes.MOST_STRINGS", "", "INVALID_ARGUMENT"),
    Limit(
        "a tensor whose elements are not all sent",
        f"{_GRAPH}.sizes.LARGEST_FILLED",
        "bytes",
        "INVALID_ARGUMENT",
    ),
    Limit(
        "memory for the pictures of all requests",
        f"{_GRAPH}.pictures.LARGEST_RUN",
        "bytes",
        f"it waits; alone, {_INVALID}",
    ),
    Limit(
        "pixels of a JPEG, for the models that are exported here",
        "tfserving.models.largest.MOST_PIXELS",
        "",
        "`INVALID_ARGUMENT`, 400; in the consumer, the model refuses the frame",
    ),
    Limit("scans of such a JPEG", "tfserving.models.largest.MOST_SCANS", "", "`INVALID_ARGUMENT`, 400"),
)

OURS: Final = frozenset(
    [
        "tfserving.models.detect.detector.MOST",
        "tfserving.models.detect.shapes.MOST",
        "tfserving.server.inference.inference.LONGEST_WAIT",
        "tfserving.server.rest.request.LONGEST_WAIT",
        "tfserving.server.rpc.server._LARGEST_ANSWER",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
