"""Limits on messages from Kafka."""

from typing import Final

from tests.limits.limit import Limit

_LEFT_OUT: Final = "left out of the frame: `bad_predictions` in `streamlens_frames_corrected_total`"
_NOW: Final = "it counts as captured now: `bad_clock` in `streamlens_frames_corrected_total`"
_SKIPPED: Final = (
    "messages are passed over, or the partition is read from its end; counted in"
    " `streamlens_messages_skipped_total`, and in the log"
)
_RECORD: Final = "in `streamlens_bad_status_records_total`"

LIMITS: Final = (
    Limit(
        "until what waits behind bad messages is read", "pipeline.kafka.backlog.LONGEST_WAIT", "s", _SKIPPED
    ),
    Limit(
        "until what waits behind frames is read; 100 of a partition always are",
        "pipeline.kafka.backlog.LONGEST_QUEUE",
        "s",
        _SKIPPED,
    ),
    Limit("a camera's name", "pipeline.wire.frame.LONGEST_NAME", "characters", "frame skipped: `bad_key`"),
    Limit(
        "pixels of a frame, also of a camera's picture",
        "pipeline.service.settings.Settings.maxpixels",
        "",
        "frame skipped or dropped: `too_large`. The most bytes follow from it: for each pixel, two of a JPEG"
        " and four of the original system's message, each plus 256 KiB, and eight of the newest frames of all"
        " cameras together, beyond which large frames make room or are dropped: `no_room`",
    ),
    Limit(
        "the entropy-coded data of a JPEG to which restart markers are added",
        "pipeline.stamp.scan._LONGEST",
        "bytes",
        "the frame is decoded and encoded as a whole, and counted in `streamlens_frames_stamped_whole_total`",
    ),
    Limit(
        "the name of a run",
        "pipeline.wire.frame.LONGEST_RUN",
        "letters and digits",
        "the run is left out; `python -m pipeline.ledger` cannot compare its frames",
    ),
    Limit(
        "runs of a camera in the ledger",
        "pipeline.flow.runs.MOST_RUNS",
        "",
        "the one that has been silent longest is forgotten",
    ),
    Limit(
        "ranges of numbers in a run that the ledger keeps",
        "pipeline.flow.runs.MOST_RANGES",
        "",
        "the first is forgotten",
    ),
    Limit("scans of a JPEG", "pipeline.wire.jpeg.MOST_SCANS", "", "frame skipped or dropped: `too_large`"),
    Limit(
        "its pixels, multiplied by its scans: so many times `MAXPIXELS`",
        "pipeline.wire.jpeg.MOST_PASSES",
        "",
        "frame skipped or dropped: `too_large`",
    ),
    Limit(
        "processor time for labelling a frame, while other cameras need less",
        "consumer.slow_cameras.LONGEST",
        "s",
        "frames of such cameras, and of new ones, are dropped for three times as long: `slow`",
    ),
    Limit(
        "what precedes a JPEG's first scan",
        "pipeline.wire.jpeg._LONGEST_SEARCH",
        "bytes",
        "frame skipped or dropped: `bad_jpeg`, `bad_picture`",
    ),
    Limit(
        "markers of a JPEG",
        "pipeline.wire.jpeg._MOST_MARKERS",
        "",
        "frame skipped or dropped: `bad_jpeg`, `bad_picture`",
    ),
    Limit(
        "rows and columns of the original system's message",
        "pipeline.wire.mat.LONGEST_SIDE",
        "",
        "frame skipped: `bad_mat`",
    ),
    Limit(
        "bytes besides the pixels in it",
        "pipeline.wire.mat._LONGEST_REST",
        "bytes",
        "frame skipped: `bad_mat`",
    ),
    Limit(
        "cameras at a time",
        "consumer.settings.ConsumerSettings.maxcameras",
        "",
        "frame skipped: `too_many_cameras`",
    ),
    Limit(
        "new cameras that wait for a place",
        "pipeline.flow.places._MOST_WAITING",
        "",
        "frame skipped: `too_many_cameras`",
    ),
    Limit("headers of a message", "pipeline.wire.frame._MOST_HEADERS", "", "frame skipped: `bad_header`"),
    Limit(
        "`seq`, and numbers in predictions",
        "pipeline.wire.predictions.LARGEST_NUMBER",
        "",
        "frame skipped: `bad_header`; predictions left out",
    ),
    Limit("the header `predictions`", "pipeline.wire.predictions.LONGEST_HEADER", "bytes", _LEFT_OUT),
    Limit("models in it", "pipeline.wire.predictions.MOST_MODELS", "", _LEFT_OUT),
    Limit("results of a model", "pipeline.wire.predictions.MOST_RESULTS", "", _LEFT_OUT),
    Limit("a label, or a model's name", "pipeline.wire.predictions.LONGEST_LABEL", "characters", _LEFT_OUT),
    Limit(
        "patches in the header `covered`",
        "pipeline.wire.covered.MOST_PATCHES",
        "",
        "streams of one model's labels get no picture: `streamlens_pictures_not_separated_total`",
    ),
    Limit(
        "keys under which many bad messages come: these count like the last one that was examined",
        "pipeline.kafka.offenders._MOST_KEYS",
        "",
        "the oldest one is forgotten, so that each of its messages is examined again",
    ),
    Limit("a frame from the future", "pipeline.kafka.intake.MOST_AHEAD", "s", _NOW),
    Limit("the age of a frame", "pipeline.kafka.intake.MOST_BEHIND", "s", _NOW),
    Limit(
        "lines per minute about cameras that come, or go",
        "pipeline.kafka.intake._MOST_LINES",
        "",
        "counted in the next line",
    ),
    Limit(
        "the key of a status record",
        "pipeline.wire.status._LONGEST_KEY",
        "bytes",
        f"record skipped: `bad_key` {_RECORD}",
    ),
    Limit(
        "a status record", "pipeline.wire.status._LONGEST_VALUE", "bytes", f"skipped: `bad_value` {_RECORD}"
    ),
    Limit("a reason in it", "pipeline.wire.text._LONGEST_REASON", "characters", "cut"),
    Limit(
        "the interval in it",
        "pipeline.wire.status._LONGEST_INTERVAL",
        "s",
        f"record skipped: `bad_interval` {_RECORD}",
    ),
    Limit(
        "a part of a process's figures",
        "pipeline.wire.figures.LONGEST_PART",
        "bytes",
        f"skipped: `bad_figures` {_RECORD}",
    ),
    Limit("reasons of a camera in it", "pipeline.wire.figures.MOST_REASONS", "", "the others are left out"),
    Limit("a reason there", "pipeline.wire.figures._LONGEST_REASON", "characters", "cut"),
    Limit(
        "processes on the status page",
        "video.cameras.processes.MOST_PROCESSES",
        "",
        "a new one is ignored until another no longer reports; the page says so",
    ),
    Limit(
        "cameras in all of them together",
        "video.cameras.processes.MOST_FIGURES",
        "",
        "the others are not shown; the page says so",
    ),
    Limit(
        "consumers that report",
        "video.cameras.reports._MOST_CONSUMERS",
        "",
        "a new one is ignored until another no longer reports",
    ),
    Limit("a member's beat", "pipeline.kafka.members._LONGEST_BEAT", "bytes", "ignored"),
    Limit(
        "members that share the partitions", "pipeline.kafka.members._MOST_MEMBERS", "", "get no partition"
    ),
    Limit(
        "what `make run`'s broker keeps of a topic over restarts",
        "compose.records._LARGEST",
        "bytes",
        "the oldest records are not kept; in the log",
    ),
    Limit("names of members", "pipeline.kafka.members._MOST_NAMES", "", "ignored until others are gone"),
)

OURS: Final = frozenset(
    [
        "compose.job._MOST_RESTARTS",
        "compose.process._LONGEST_LINE",
        "consumer.labeller._LONGEST_READ",
        "consumer.labeller._LONGEST_WAIT",
        "consumer.labeller._MOST_READ",
        "pipeline.stamp.lettering._LONGEST",
        "pipeline.stamp.lettering._MOST_KEPT",
        "pipeline.flow.patience.LONGEST",
        "pipeline.flow.places._MOST_COUNTED",
        "pipeline.kafka.clients._LARGEST_FETCH",
        "pipeline.kafka.clients._LARGEST_MESSAGE",
        "pipeline.kafka.reader._LONGEST_STEP",
        "pipeline.kafka.reader._MOST_AHEAD",
        "pipeline.service.logs._MOST_KINDS",
        "pipeline.service.masking._LONGEST",
        "pipeline.service.masking._MOST_READ",
        "pipeline.service.recorder._MOST_ALIKE",
        "pipeline.service.settings._LONGEST_SHOWN",
        "pipeline.service.values._LONGEST_TOPIC",
        "pipeline.service.stderr._LONGEST_LINE",
        "pipeline.service.workers.MOST_RESTARTS",
        "pipeline.wire.frame.LONGEST_KEY",
        "pipeline.wire.jpeg.LONGEST_HEAD",
        "pipeline.wire.jpeg.LONGEST_SIDE",
        "pipeline.wire.largest.MOST_PIXELS",
        "video.cameras.cameras._MOST_REPORTS",
        "video.cameras.history._LONGEST_LABEL",
        "video.cameras.history._MOST_FORGOTTEN",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
