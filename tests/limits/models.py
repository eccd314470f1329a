"""Limits on what model servers and label files say."""

from typing import Final

from tests.limits.limit import Limit

_NONSENSE: Final = "no result; `nonsense` in the log and in `streamlens_model_requests_total`"
_KEPT: Final = "the old labels stay in use, with a line in the log; at the start, the consumer ends"

LIMITS: Final = (
    Limit(
        "an answer",
        "pipeline.model_server.connection.LARGEST_ANSWER",
        "bytes",
        "no result; `too_large` in the log and in `streamlens_model_requests_total`",
    ),
    Limit(
        "until an answer is complete",
        "consumer.settings.ConsumerSettings.modeltimeout",
        "s",
        "no result; `timeout` in the log and in `streamlens_model_requests_total`",
    ),
    Limit("values in an answer's JSON", "pipeline.model_server.connection.MOST_NUMBERS", "", _NONSENSE),
    Limit("lists and objects in it", "pipeline.model_server.connection.MOST_LISTS", "", _NONSENSE),
    Limit("fields of a gRPC message", "pipeline.wire.protobuf.MOST_FIELDS", "", _NONSENSE),
    Limit("dimensions of a tensor", "pipeline.model_server.tensor_proto.MOST_DIMENSIONS", "", _NONSENSE),
    Limit(
        "height or width of a model's input",
        "consumer.handlers.image_input.LONGEST_SIDE",
        "pixels",
        _NONSENSE,
    ),
    Limit(
        "height of the faces that a model asks for",
        "consumer.handlers.emonet.LONGEST_SIDE",
        "pixels",
        _NONSENSE,
    ),
    Limit("detections in a frame", "consumer.handlers.detect.MOST_DETECTIONS", "", _NONSENSE),
    Limit(
        "the text of an error",
        "pipeline.wire.text._LONGEST_REASON",
        "characters",
        "it is cut, and made one line",
    ),
    Limit("a file of labels", "consumer.labels.formats.LARGEST_FILE", "bytes", _KEPT),
    Limit("labels", "consumer.labels.entries.MOST_LABELS", "", _KEPT),
    Limit("a label", "consumer.labels.entries.LONGEST_LABEL", "characters", _KEPT),
    Limit("values in JSON, or cells of a table", "consumer.labels.entries.MOST_VALUES", "", _KEPT),
    Limit("a label map (pbtxt)", "consumer.labels.formats._LARGEST_LABEL_MAP", "characters", _KEPT),
    Limit("fields of a label map", "consumer.labels.formats._MOST_FIELDS", "", _KEPT),
    Limit("a line of a label map", "consumer.labels.formats._LONGEST_LINE", "characters", _KEPT),
    Limit(
        "redirections of a server of label files, one after the other",
        "consumer.labels.download._MOST_REDIRECTS",
        "",
        "the labels are not read, with this reason",
    ),
)

OURS: Final = frozenset(
    [
        "consumer.handlers.pictures._MOST_BYTES",
        "consumer.handlers.recent._MOST",
        "consumer.handlers.steady._LONGEST",
        "consumer.handlers.steady._MOST",
        "consumer.labels.sources._LONGEST_PAUSE",
        "consumer.labels.sources._MOST_VERSIONS",
        "consumer.model_health._LONGEST_PAUSE",
        "consumer.model_queue._MOST",
        "pipeline.model_server.errors.LONGEST_REASON",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
