"""Limits on clients of the training service, and on what users' code reports."""

from typing import Final

from tests.limits.limit import Limit

_REFUSED: Final = "400 with this reason"
_UNUSED: Final = "the client's weights are not used in this round, with this reason"

LIMITS: Final = (
    Limit(
        "a request with JSON",
        "training.api.bodies.LARGEST_JSON",
        "bytes",
        f"{_REFUSED}, and the connection is closed",
    ),
    Limit(
        "a form without files",
        "training.api.bodies.LARGEST_FORM",
        "bytes",
        f"{_REFUSED}, and the connection is closed",
    ),
    Limit(
        "an upload, such as a trained model",
        "training.api.bodies.LARGEST_UPLOAD",
        "bytes",
        f"{_REFUSED}, and the connection is closed",
    ),
    Limit("a field of a form", "training.api.forms.LARGEST_FIELD", "bytes", _REFUSED),
    Limit(
        "a pause within a request's body",
        "training.site.BODY_PAUSE",
        "s",
        "the connection is closed; counted",
    ),
    Limit("an id, and most whole numbers", "training.fields.LARGEST_NUMBER", "", _REFUSED),
    Limit(
        "labels of nodes, and tolerations, of a deployment", "training.placement._MOST_RULES", "", _REFUSED
    ),
    Limit("models of a configuration", "training.api.configurations._MOST", "", _REFUSED),
    Limit("replicas of an inference", "training.api.inferences._MOST_REPLICAS", "", _REFUSED),
    Limit(
        "WebSockets with predictions at a time",
        "training.api.visualisation.MOST_VIEWERS",
        "",
        "the WebSocket is closed, with this reason",
    ),
    Limit(
        "a report of the process that runs a model's code",
        "training.code.supervise._LARGEST_REPORT",
        "bytes",
        "the process is ended, with this reason",
    ),
    Limit(
        "the summary of a model", "training.code.checking._LONGEST_TEXT", "characters", "the rest is left out"
    ),
    Limit(
        "inputs, outputs and metrics in it", "training.code.checking._MOST_NAMES", "", "the rest is left out"
    ),
    Limit(
        "an exception of a model's code",
        "training.code.child.reason._LONGEST_REASON",
        "characters",
        "the rest is left out",
    ),
    Limit(
        "classes in a confusion matrix",
        "training.job.child.classes._MOST_CLASSES",
        "",
        "the training ends without a matrix",
    ),
    Limit(
        "clients of a federated training",
        "training.federated.clients.MOST_CLIENTS",
        "",
        "those that join later are not used; logged",
    ),
    Limit("the name of such a client", "training.federated.names.LONGEST_CLIENT", "characters", _UNUSED),
    Limit("arrays in its weights", "training.federated.weights.MOST_ARRAYS", "", _UNUSED),
    Limit("bytes of its weights", "training.federated.weights.LARGEST_WEIGHTS", "bytes", _UNUSED),
    Limit("metrics that it sends", "training.federated.messages.MOST_METRICS", "", _UNUSED),
    Limit(
        "a reason that it sends",
        "training.federated.fields.LONGEST_REASON",
        "characters",
        "the rest is left out",
    ),
)

OURS: Final = frozenset(
    [
        "training.api.answers._MOST_SHOWN",
        "training.control.publisher._LONGEST",
        "training.job.job.LARGEST_MODEL",
        "training.job.service._LONGEST_REFUSAL",
        "training.runners.process._LONGEST_BREAK",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
