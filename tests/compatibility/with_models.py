"""Label files, and models behind a TensorFlow Serving."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from consumer.handlers import HANDLERS
from consumer.known import Known
from consumer.labels import sources
from consumer.model import Model
from pipeline.model_server.client import connect
from pipeline.model_server.login import Login
from pipeline.model_server.url import ModelUrl
from pipeline.service.settings import SettingsError
from pipeline.service.workers import Pulse
from pipeline.wire.predictions import Prediction
from tests.compatibility.situation import Check
from tests.consumer.fakes import Request, ScriptedServer, a_frame, hang, reply
from tests.parts import free_port, wait_for

PETS: Final = b"cat\ndog\nowl\n"
ANSWER: Final = (0.1, 0.7, 0.2)
BOXES: Final = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0))
NONE_AT_ALL: Final[Mapping[str, Any]] = {
    "detection_boxes": [],
    "detection_scores": [],
    "detection_classes": [],
}
NOT_FOUND: Final = b'{"error": "Servable not found for request: Latest(pets)"}'

Body = Mapping[str, Any]
See = Callable[[Path], str]


def tensors(**shapes: tuple[str, list[int]]) -> Body:
    """Return what a server says about a model's inputs or outputs: the type and shape of each."""
    return {
        name: {"dtype": dtype, "tensor_shape": {"dim": [{"size": str(side)} for side in shape]}}
        for name, (dtype, shape) in shapes.items()
    }


JPEGS: Final = tensors(image_bytes=("DT_STRING", [-1]))
SCORES: Final = tensors(scores=("DT_FLOAT", [-1, 3]))


def metadata(inputs: Body = JPEGS, outputs: Body = SCORES) -> Body:
    """Return a model's metadata, as `GET /v1/models/pets/metadata` does."""
    signature = {"serving_default": {"inputs": inputs, "outputs": outputs}}
    return {"metadata": {"signature_def": {"signature_def": signature}}}


def server(answer: object, about: Body, login: str = "") -> ScriptedServer:
    """Return a model server that gives this answer; bytes are an error."""

    def serve(request: Request, body: bytes) -> None:
        if login and request.headers.get("Authorization") != login:
            reply(401, b"who are you?")(request, body)
        elif isinstance(answer, bytes):
            reply(404, answer)(request, body)
        elif request.path.endswith(":predict"):
            reply(200, json.dumps({"predictions": [answer]}).encode())(request, body)
        else:
            reply(200, json.dumps(about).encode())(request, body)

    return ScriptedServer(serve)


def ask(
    folder: Path,
    at: str,
    kind: str,
    labels: bytes,
    *,
    file: str = "labels.txt",
    options: Body | None = None,
    login: Login | None = None,
) -> str:
    """Ask a model about a frame; return the labels found with their scores, or why there are none."""
    (folder / file).write_bytes(labels)
    try:
        place = sources.source("pets", str(folder / file))
    except SettingsError as error:
        return quoted(str(error), folder)
    client = connect(ModelUrl.parse(f"{at}/v1/models/pets:predict"), 1, login or Login())
    signature = Known(client.signature)
    handler = HANDLERS[kind](HANDLERS[kind].Options(**(options or {})), signature)
    model = Model("pets", handler, place, [client], signature, most=1, forget_after=60)
    pulse = Pulse(threading.Event())
    worker = threading.Thread(target=model.run, args=(client, pulse))
    worker.start()
    try:
        model.offer(a_frame(1, captured=time.time_ns()))
        answered = "its server has not been asked yet"
        wait_for(lambda: answered not in (model.unready() or ""), 10, "the model to be asked")
        return quoted(model.unready(), folder) if model.unready() else shown(model.prediction("door"))
    finally:
        pulse.stopping.set()
        worker.join(10)
        model.close()


def quoted(text: str | None, folder: Path) -> str:
    """Return a message as in the table, without what differs each time."""
    return f"“{(text or '').replace(str(folder), '/labels').removeprefix('model pets: ')}”"


def shown(prediction: Prediction) -> str:
    """Return what is written on the picture."""
    results = prediction.results
    return ", ".join(f"`{each.label} {each.score:.0%}`" for each in results) or "nothing found"


def model(answer: object, about: Body, kind: str = "classify", *, asks: str = "", **options: Any) -> See:
    """A model that gives this answer; `asks` is the login it wants; `options` are those of `ask`."""

    def see(folder: Path) -> str:
        with server(answer, about, asks) as running:
            return ask(folder, running.base, kind, **{"labels": PETS, **options})

    return see


def labels(content: bytes, file: str = "labels.txt") -> See:
    """A classifier's answer, whose labels are in this file."""
    return model(ANSWER, metadata(), labels=content, file=file)


def classifier(answer: object, outputs: Body = SCORES, **options: object) -> See:
    """A classifier that gives this answer."""
    return model(answer, metadata(outputs=outputs), options=options)


def detector(answer: Body, content: bytes = PETS, file: str = "labels.txt", **options: object) -> See:
    """A detector that gives this answer."""
    about = metadata(outputs=tensors(**{name: ("DT_FLOAT", [-1, -1]) for name in answer}))
    return model(answer, about, "detect", labels=content, file=file, options=options)


def detections(classes: list[float], scores: list[float], boxes: Sequence[tuple[float, ...]] = BOXES) -> Body:
    """Return a detector's answer."""
    return {"detection_boxes": boxes, "detection_scores": scores, "detection_classes": classes}


def trouble(
    answer: object = ANSWER, about: Body | None = None, asks: str = "", login: Login | None = None
) -> See:
    """A classifier at a server that says this."""
    return model(answer, about or metadata(), asks=asks, login=login)


def nobody(folder: Path) -> str:
    """A server that is not there."""
    port = free_port()
    return ask(folder, f"http://127.0.0.1:{port}", "classify", PETS).replace(f":{port}", ":8501")


def silent(folder: Path) -> str:
    """A server that accepts connections and never answers."""
    with ScriptedServer(hang) as running:
        said = ask(folder, running.base, "classify", PETS)
        running.released.set()
    return said


LABELS: Final = [
    Check("a text file, one label per line", labels(PETS), "`dog 70%`"),
    Check(
        "the same with Windows line ends and a byte order mark",
        labels(b"\xef\xbb\xbfcat\r\ndog\r\nowl\r\n"),
        "`dog 70%`",
    ),
    Check("the same in UTF-16", labels("cat\ndög\nowl".encode("utf-16")), "`dög 70%`"),
    Check(
        "the same in another encoding",
        labels("cat\ndög\nowl".encode("latin-1")),
        "“LABELURLS: cannot read the labels of pets from '/labels/labels.txt': expected"
        " UTF-8, found b'\\xf6g\\no' at 5; save the file as UTF-8”",
    ),
    Check("lines with WordNet numbers", labels(b"n02121808 cat\nn02084071 dog\nn01621127 owl"), "`dog 70%`"),
    Check("lines that begin with class numbers", labels(b"0: cat\n1: dog\n2: owl"), "`dog 70%`"),
    Check("a JSON list", labels(b'["cat", "dog", "owl"]', "labels.json"), "`dog 70%`"),
    Check(
        "a JSON object from number to label",
        labels(b'{"2": "owl", "1": "dog", "0": "cat"}', "labels.json"),
        "`dog 70%`",
    ),
    Check(
        "a JSON object from label to number",
        labels(b'{"owl": 2, "dog": 1, "cat": 0}', "labels.json"),
        "`dog 70%`",
    ),
    Check(
        "Keras's ImageNet file",
        labels(b'{"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "owl"]}', "labels.json"),
        "`dog 70%`",
    ),
    Check(
        "a Hugging Face `config.json`",
        labels(b'{"id2label": {"0": "cat", "1": "dog", "2": "owl"}}', "config.json"),
        "`dog 70%`",
    ),
    Check("a CSV file with a header", labels(b"id,name\n0,cat\n1,dog\n2,owl\n", "labels.csv"), "`dog 70%`"),
    Check("names in Arabic, Hindi and Chinese", labels("قطة\nकुत्ता\n猫头鹰".encode()), "`कुत्ता 70%`"),
    Check(
        "one label too many, the first one for the background",
        labels(b"background\ncat\ndog\nowl"),
        "`dog 70%`",
    ),
    Check(
        "one label too many",
        labels(b"cat\ndog\nowl\nfox"),
        "“invalid answer: the model has 3 classes, but LABELURLS has 4 labels; if the "
        "first one is the background's, name it background”",
    ),
    Check(
        "one label too few",
        labels(b"cat\ndog"),
        "“invalid answer: the model has 3 classes, but LABELURLS has 2 labels; if the "
        "model's first class is the background, add background as the first label”",
    ),
    Check(
        "a number without a label",
        labels(b'{"0": "cat", "2": "owl"}', "labels.json"),
        "“invalid answer: LABELURLS has no label for class 1”",
    ),
    Check(
        "a number with two labels",
        labels(b'{"0": "cat", "0": "dog", "1": "owl"}', "labels.json"),
        "“LABELURLS: cannot read the labels of pets from '/labels/labels.json': "
        "expected each key once, found '0' several times”",
    ),
    Check(
        "an empty file",
        labels(b""),
        "“LABELURLS: cannot read the labels of pets from '/labels/labels.txt': expected"
        " a JSON list or object, a text with one label per line, CSV in a file *.csv, "
        "or a label map (pbtxt), found ''”",
    ),
    Check(
        "an HTML page",
        labels(b"<html><body>Not found</body></html>"),
        "“LABELURLS: cannot read the labels of pets from '/labels/labels.txt': expected"
        " a JSON list or object, a text with one label per line, CSV in a file *.csv, "
        "or a label map (pbtxt), found '<html><body>Not foun'”",
    ),
    Check(
        "broken JSON",
        labels(b'["cat", "dog"', "labels.json"),
        "“LABELURLS: cannot read the labels of pets from '/labels/labels.json': "
        "expected a JSON list or object, a text with one label per line, CSV in a file "
        "*.csv, or a label map (pbtxt), found invalid JSON: Expecting ',' delimiter: "
        "line 1 column 14 (char 13)”",
    ),
]

ANSWERS: Final = [
    Check("a classifier", classifier((0.1, 0.7, 0.2)), "`dog 70%`"),
    Check(
        "a classifier's three likeliest labels (`top` 3)",
        classifier((0.1, 0.7, 0.2), top=3),
        "`dog 70%`, `owl 20%`, `cat 10%`",
    ),
    Check("logits, with `softmax`", classifier((0.0, 3.0, 0.0), softmax=True), "`dog 91%`"),
    Check(
        "logits, without `softmax`",
        classifier((0.0, 3.0, -1.0)),
        "“invalid answer: the scores: expected 0 to 1, found -1 to 3; if they are "
        "logits, set the option softmax to true”",
    ),
    Check(
        "a score that is not a number",
        classifier((0.1, float("nan"), 0.2)),
        "“invalid answer: the scores: expected finite numbers, found NaN or infinity”",
    ),
    Check(
        "several outputs, one of them a vector",
        classifier({"classes": 1, "scores": (0.1, 0.7, 0.2)}),
        "`dog 70%`",
    ),
    Check(
        "several vectors, with `output`",
        classifier(
            {"a": (0.1, 0.7, 0.2), "b": (0.5, 0.2, 0.3)},
            tensors(a=("DT_FLOAT", [-1, 3]), b=("DT_FLOAT", [-1, 3])),
            output="b",
        ),
        "`cat 50%`",
    ),
    Check(
        "several vectors, without it",
        classifier(
            {"a": (0.1, 0.7, 0.2), "b": (0.5, 0.2, 0.3)},
            tensors(a=("DT_FLOAT", [-1, 3]), b=("DT_FLOAT", [-1, 3])),
        ),
        "“invalid answer: expected one vector of scores, found 2 in the outputs 'a', "
        "'b'; set the option output to the right one”",
    ),
    Check(
        "a detector that numbers its classes from 1",
        detector(detections([2, 3], [0.9, 0.8])),
        "`dog 90%`, `owl 80%`",
    ),
    Check(
        "a detector that numbers them from 0, with `first` 0",
        detector(detections([1, 2], [0.9, 0.8]), first=0),
        "`dog 90%`, `owl 80%`",
    ),
    Check(
        "COCO's numbers, with gaps, from a label map",
        detector(
            detections([1, 18], [0.9, 0.8]),
            b'item { id: 1 display_name: "person" } item { id: 18 display_name: "dog" }',
            "coco.pbtxt",
        ),
        "`person 90%`, `dog 80%`",
    ),
    Check(
        "numbers from 0 for a detector that counts from 1",
        detector(detections([1, 2], [0.9, 0.8]), b'{"0": "cat", "1": "dog", "2": "owl"}', "labels.json"),
        "“invalid answer: LABELURLS numbers the labels from 0, but detectors number "
        "their classes from 1: renumber the labels, or set the option first to 0 if the"
        " model does so”",
    ),
    Check("a detection of class 0", detector(detections([0, 3], [0.9, 0.8])), "`owl 80%`"),
    Check("a detection of a class without a label", detector(detections([2, 99], [0.9, 0.8])), "`dog 90%`"),
    Check(
        "only detections of classes without a label",
        detector(detections([77, 99], [0.9, 0.8])),
        "“invalid answer: all detections are left out: LABELURLS has no label for class 99”",
    ),
    Check(
        "a detection without a number for a box",
        detector(detections([2, 3], [0.9, 0.8], [(0, 0, float("nan"), 1), (0, 0, 1, 1)])),
        "`owl 80%`",
    ),
    Check(
        "a box far outside the picture",
        detector(detections([2, 3], [0.9, 0.8], [(0, 0, 640, 480), (0, 0, 1, 1)])),
        "`owl 80%`",
    ),
    Check("scores below the threshold", detector(detections([2, 3], [0.9, 0.4])), "`dog 90%`"),
    Check("nothing found, as empty lists", detector(NONE_AT_ALL), "nothing found"),
    Check(
        "nothing found, as `num_detections` 0",
        detector({**detections([2, 3], [0.9, 0.8]), "num_detections": 0}),
        "nothing found",
    ),
    Check(
        "raw outputs beside the detections",
        detector({**detections([2, 3], [0.9, 0.8]), "raw_detection_boxes": [[0.0, 0.0, 1.0, 1.0]] * 2000}),
        "`dog 90%`, `owl 80%`",
    ),
    Check(
        "more boxes than scores",
        detector({**detections([2, 3], [0.9, 0.8]), "detection_boxes": [(0, 0, 1, 1)]}),
        "“invalid answer: expected as many boxes and classes as scores, found 1 boxes, "
        "2 classes and 2 scores”",
    ),
    Check(
        "an answer without boxes",
        detector({"detection_scores": [0.9], "detection_classes": [2]}),
        "“invalid answer: expected an output 'detection_boxes', found "
        "'detection_scores', 'detection_classes'”",
    ),
]

TROUBLE: Final = [
    Check("nothing listens at the port", nobody, "“cannot connect: Connection refused”"),
    Check("the server accepts connections, but never answers", silent, "“no answer within 1 s”"),
    Check(
        "the server has no such model",
        trouble(NOT_FOUND),
        "“the server answered 404: Servable not found for request: Latest(pets); check "
        "the model's name, and whether the server has loaded it”",
    ),
    Check(
        "the server wants a login",
        trouble(asks="Bearer secret"),
        "“the server answered 401: who are you?; it needs a login: user and password, or token_file”",
    ),
    Check(
        "the login is wrong",
        trouble(asks="Bearer secret", login=Login(token="guess")),
        "“the server answered 401: who are you?; check the login”",
    ),
    Check("the login is right", trouble(asks="Bearer secret", login=Login(token="secret")), "`dog 70%`"),
    Check(
        "user and password",
        trouble(asks="Basic YW5uOm93bA==", login=Login(user="ann", password="owl")),
        "`dog 70%`",
    ),
    Check(
        "the token's file is missing",
        trouble(asks="Bearer secret", login=Login(token_file="/nowhere")),
        "“cannot read the login from '/nowhere': No such file or directory”",
    ),
    Check(
        "the model takes two inputs",
        trouble(about=metadata({**JPEGS, **tensors(size=("DT_INT32", [-1]))})),
        "“it cannot be asked: expected a model with one input, which takes a picture, "
        "found the inputs image_bytes, size”",
    ),
    Check(
        "the model takes text",
        trouble(about=metadata(tensors(text=("DT_STRING", [-1, -1])))),
        "“it cannot be asked: the model's input text: expected JPEGs (string [-1]) or "
        "pixels (uint8 or floats, [-1, height, width, 3 or 1] of at most 2048), found string of [-1, "
        "-1]”",
    ),
    Check(
        "something else answers at the port",
        trouble(answer="hello", about={"status": "ok"}),
        '“expected metadata with the signature serving_default, found {"status": "ok"}”',
    ),
]
