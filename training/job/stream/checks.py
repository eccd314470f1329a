"""Whether a control message can be trained on as the deployment says."""

from training.control.message import ControlMessage
from training.job.settings import JobSettings
from training.job.stream.improvement import Improvement


def improvement(settings: JobSettings) -> Improvement | None:
    """Return what makes a new result; None for a training that ends. Raises ValueError."""
    if settings.stream_timeout >= 0:
        return None
    if not settings.monitoring_metric or settings.change is None:
        raise ValueError(
            "indefinite training makes a result when a metric improves: set monitoring_metric, and change to"
            " up or down"
        )
    return Improvement(settings.monitoring_metric.removeprefix("val_"), settings.change, settings.improvement)


def topic_of(message: ControlMessage) -> str:
    """Return the name of the endless topic."""
    return message.stream or message.unsupervised_topic or ""


def check(message: ControlMessage, settings: JobSettings) -> None:
    """Raise ValueError for a control message that cannot be trained on in this way."""
    if settings.unsupervised:
        if not message.ranges or ":" in (message.unsupervised_topic or ":"):
            raise ValueError(
                "incremental semi-supervised training begins with ranges of labelled messages (topic), and"
                " goes on with a topic of unlabelled ones, by its name (unsupervised_topic): use a sink that"
                " is online and has an unsupervised_topic"
            )
    elif message.stream is None:
        raise ValueError(
            "the control message has ranges of offsets: incremental training expects the name of a topic"
        )
    if message.test_rate:
        raise ValueError(f"test_rate {message.test_rate:g}: incremental training has no test: set it to 0")
    if improvement(settings) and not message.validation_rate:
        raise ValueError(
            "validation_rate is 0: indefinite training compares the validation's"
            f" {settings.monitoring_metric}: set it to more than 0"
        )
