"""The gRPC client, with a real server that answers as scripted."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest

from pipeline.model_server import grpc_client, tensor_proto
from pipeline.model_server import serving_pb2 as messages
from pipeline.model_server.errors import ModelError
from pipeline.model_server.grpc_client import GrpcClient
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.model_server.tensors import TensorInfo
from pipeline.model_server.url import ModelUrl
from tests.parts import free_port, wait_for

LONG = 10.0
SOON = 0.3
DOUBLE = {"x": np.array([1.5, 2.5], np.float32)}

Answer = Callable[[Any, grpc.ServicerContext], Any]


METHODS: dict[str, dict[str, Any]] = {
    "PredictionService": {
        "Predict": messages.PredictRequest,
        "GetModelMetadata": messages.GetModelMetadataRequest,
    },
    "ModelService": {"GetModelStatus": messages.GetModelStatusRequest},
}


class ScriptedServer:
    """Answers each question with `answer`; `peers` has the connection of each."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.answer = answer
        self.requests: list[Any] = []
        self.peers: list[str] = []
        self.released = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        for service, methods in METHODS.items():
            handlers = {
                name: grpc.unary_unary_rpc_method_handler(
                    self._take, request.FromString, lambda answer: answer.SerializeToString()
                )
                for name, request in methods.items()
            }
            handler = grpc.method_handlers_generic_handler(f"tensorflow.serving.{service}", handlers)
            self._server.add_generic_rpc_handlers([handler])
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()

    def url(self, path: str = "imagenet") -> str:
        """Return where a model is asked."""
        return f"grpc://127.0.0.1:{self.port}/v1/models/{path}"

    def stop(self) -> None:
        """End all calls and the server."""
        self.released.set()
        self._server.stop(None).wait(10)

    def _take(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        self.peers.append(context.peer())
        return self.answer(request, context)


Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers, which end with the test."""
    servers = []

    def serve(answer: Answer, port: int = 0) -> ScriptedServer:
        servers.append(ScriptedServer(answer, port))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def client() -> Iterator[Callable[..., GrpcClient]]:
    """Make clients, which are closed with the test."""
    clients = list[GrpcClient]()

    def client(
        url: str, timeout: float = LONG, login: Login = NO_LOGIN, **options: Callable[[], object]
    ) -> GrpcClient:
        clients.append(GrpcClient(ModelUrl.parse(url), timeout, login, **options))
        return clients[-1]

    yield client
    for made in clients:
        made.close()


Connect = Callable[..., GrpcClient]


def doubled(request: Any, _: grpc.ServicerContext) -> Any:
    """Answer with twice the input x."""
    response = messages.PredictResponse()
    response.outputs["y"].CopyFrom(tensor_proto.message(2 * tensor_proto.array(request.inputs["x"])))
    return response


def fails(code: grpc.StatusCode, text: str = "no reason") -> Answer:
    """Answer with an error."""

    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        context.abort(code, text)

    return answer


def test_a_question_arrives_and_its_answer_comes_back(serve: Serve, client: Connect) -> None:
    server = serve(doubled)

    answer = client(server.url()).predict(DOUBLE)

    assert answer["y"].tolist() == [3, 5]
    (request,) = server.requests
    assert request.model_spec.name == "imagenet"
    assert request.model_spec.WhichOneof("version_choice") is None


def test_only_the_wanted_outputs_are_asked_for(serve: Serve, client: Connect) -> None:
    server = serve(doubled)

    client(server.url()).predict(DOUBLE, ("y",))

    assert list(server.requests[0].output_filter) == ["y"]


def test_a_login_is_sent_with_each_request(serve: Serve, client: Connect) -> None:
    logins = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        logins.append(dict(context.invocation_metadata()).get("authorization"))
        if not logins[-1]:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")
        return doubled(request, context)

    url = serve(answer).url()
    client(url, login=Login(token="abc")).predict(DOUBLE)
    with pytest.raises(ModelError, match="user and password, or token_file"):
        client(url).predict(DOUBLE)

    assert logins == ["Bearer abc", None]


def test_the_version_that_answered_is_known(serve: Serve, client: Connect) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        response = doubled(request, context)
        response.model_spec.version.value = 7
        return response

    asked = client(serve(answer).url())
    before = asked.version
    asked.predict(DOUBLE)

    assert (before, asked.version) == (None, 7)


@pytest.mark.parametrize("path", ["a%2Fb/versions/7", "a%2Fb/versions/7:predict"])
def test_a_version_may_be_named(serve: Serve, client: Connect, path: str) -> None:
    server = serve(doubled)

    client(server.url(path)).predict(DOUBLE)

    assert server.requests[0].model_spec.name == "a/b"
    assert server.requests[0].model_spec.version.value == 7


def test_a_label_may_be_named(serve: Serve, client: Connect) -> None:
    server = serve(doubled)

    client(server.url("imagenet/labels/stable")).predict(DOUBLE)

    assert server.requests[0].model_spec.version_label == "stable"


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, True),
        (grpc.StatusCode.NOT_FOUND, False),
        (grpc.StatusCode.FAILED_PRECONDITION, False),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, False),
        (grpc.StatusCode.INTERNAL, False),
    ],
)
def test_any_error_is_named_after_its_code(
    serve: Serve, client: Connect, code: grpc.StatusCode, refused: bool
) -> None:
    server = serve(fails(code, "no such model"))

    with pytest.raises(ModelError, match=f"answered {code.name}: no such model") as caught:
        client(server.url()).predict(DOUBLE)

    assert caught.value.kind == f"grpc_{code.name.lower()}"
    assert caught.value.refused is refused
    assert len(server.requests) == 1


def test_a_server_that_never_answers_is_given_up_and_not_asked_again(serve: Serve, client: Connect) -> None:
    def hang(*_: Any) -> Any:
        server.released.wait(60)
        return messages.PredictResponse()

    server = serve(doubled)
    asker = client(server.url(), SOON)
    asker.predict(DOUBLE)
    server.answer = hang

    with pytest.raises(ModelError, match=r"no answer within 0\.3 s") as caught:
        asker.predict(DOUBLE)

    assert caught.value.kind == "timeout"
    assert len(server.requests) == 2


def test_a_server_that_is_not_there_is_unreachable_until_it_is(serve: Serve, client: Connect) -> None:
    port = free_port()
    asker = client(f"grpc://127.0.0.1:{port}/v1/models/imagenet")
    with pytest.raises(ModelError) as caught:
        asker.predict(DOUBLE)

    serve(doubled, port)

    assert caught.value.kind == "unreachable"
    wait_for(lambda: asker.predict(DOUBLE)["y"].tolist() == [3, 5], 10, "the server")


def test_a_server_that_does_not_speak_grpc_is_unreachable(client: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ModelError) as caught:
            client(f"grpc://127.0.0.1:{listener.getsockname()[1]}/v1/models/imagenet", 2).predict(DOUBLE)
        thread.join()

    assert caught.value.kind in {"unreachable", "timeout"}


def test_a_connection_that_broke_is_made_again(serve: Serve, client: Connect) -> None:
    first = serve(doubled)
    asker = client(first.url())
    asker.predict(DOUBLE)
    first.stop()
    second = serve(doubled, first.port)

    answer = asker.predict(DOUBLE)

    assert answer["y"].tolist() == [3, 5]
    assert len(second.requests) == 1


def test_an_unavailable_server_is_asked_twice_more_on_new_connections(serve: Serve, client: Connect) -> None:
    server = serve(doubled)
    asker = client(server.url())
    asker.predict(DOUBLE)
    server.answer = fails(grpc.StatusCode.UNAVAILABLE, "going away")

    with pytest.raises(ModelError, match="going away") as caught:
        asker.predict(DOUBLE)

    assert caught.value.kind == "unreachable"
    assert len(server.requests) == 4
    assert server.peers[0] == server.peers[1]
    assert len(set(server.peers)) == 3


def test_each_time_that_a_server_answers_again_is_reported(serve: Serve, client: Connect) -> None:
    reconnects = list[None]()
    server = serve(fails(grpc.StatusCode.UNAVAILABLE, "starting"))
    asker = client(server.url(), reconnected=lambda: reconnects.append(None))
    with pytest.raises(ModelError):
        asker.predict(DOUBLE)
    server.answer = doubled
    asker.predict(DOUBLE)
    before = len(reconnects)

    for _ in range(2):
        server.answer = fails(grpc.StatusCode.UNAVAILABLE, "going away")
        with pytest.raises(ModelError):
            asker.predict(DOUBLE)
        server.answer = doubled
        asker.predict(DOUBLE)
        asker.predict(DOUBLE)

    assert before == 0
    assert len(reconnects) == 2


def test_two_clients_have_a_connection_each_and_keep_it(serve: Serve, client: Connect) -> None:
    server = serve(doubled)
    first, second = client(server.url()), client(server.url())

    for asker in (first, second, first, second):
        asker.predict(DOUBLE)

    assert server.peers[:2] == server.peers[2:]
    assert len(set(server.peers)) == 2


def test_a_connection_is_replaced_after_its_lifetime(
    serve: Serve, client: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(doubled)
    asker = client(server.url())
    asker.predict(DOUBLE)

    monkeypatch.setattr(grpc_client, "LIFETIME", 0.0)
    asker.predict(DOUBLE)

    assert len(set(server.peers)) == 2


def test_an_answer_with_a_broken_tensor_is_nonsense(serve: Serve, client: Connect) -> None:
    def broken(*_: Any) -> Any:
        response = messages.PredictResponse()
        response.outputs["y"].CopyFrom(tensor_proto.message(np.array([1.0, 2.0], np.float32)))
        response.outputs["y"].tensor_shape.dim[0].size = 3
        return response

    server = serve(broken)

    with pytest.raises(ModelError, match="invalid answer") as caught:
        client(server.url()).predict(DOUBLE)

    assert caught.value.kind == "nonsense"


def test_an_answer_too_large_is_refused(serve: Serve, client: Connect) -> None:
    def large(*_: Any) -> Any:
        response = messages.PredictResponse()
        response.outputs["y"].CopyFrom(tensor_proto.message(np.zeros(5_000_000, np.float32)))
        return response

    server = serve(large)

    with pytest.raises(ModelError, match="longer than 16 MiB") as caught:
        client(server.url()).predict(DOUBLE)

    assert caught.value.kind == "too_large"


def test_the_signature_is_read_from_the_metadata(serve: Serve, client: Connect) -> None:
    def metadata(*_: Any) -> Any:
        definitions = messages.SignatureDefMap()
        definition = definitions.signature_def["serving_default"]
        shape = {"dim": [{"size": size} for size in (-1, 64, 64, 1)]}
        definition.inputs["x"].CopyFrom(messages.TensorInfo(dtype=1, tensor_shape=shape))
        definition.outputs["y"].CopyFrom(messages.TensorInfo(dtype=9, tensor_shape={"unknown_rank": True}))
        response = messages.GetModelMetadataResponse()
        response.metadata["signature_def"].value = definitions.SerializeToString()
        return response

    server = serve(metadata)

    signature = client(server.url()).signature()

    assert signature.inputs == {"x": TensorInfo("float32", (-1, 64, 64, 1))}
    assert signature.outputs == {"y": TensorInfo("int64", None)}
    assert server.requests[0].metadata_field == ["signature_def"]


def test_metadata_without_the_signature_are_nonsense(serve: Serve, client: Connect) -> None:
    server = serve(lambda *_: messages.GetModelMetadataResponse())

    with pytest.raises(ModelError, match="serving_default") as caught:
        client(server.url()).signature()

    assert caught.value.kind == "nonsense"


@pytest.mark.parametrize(
    ("states", "missing"),
    [
        ([30], None),
        ([50, 30], None),
        ([20, 50], "the server is still loading the model"),
        ([50], "the server has no available version of the model: END; see its log"),
    ],
)
def test_a_model_without_an_available_version_is_missing(
    serve: Serve, client: Connect, states: list[int], missing: str | None
) -> None:
    def status(*_: Any) -> Any:
        versions = [{"version": number, "state": state} for number, state in enumerate(states, start=1)]
        return messages.GetModelStatusResponse(model_version_status=versions)

    server = serve(status)

    assert client(server.url()).missing() == missing


def test_a_model_that_the_server_does_not_know_is_missing(serve: Serve, client: Connect) -> None:
    server = serve(fails(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model imagenet"))

    reason = client(server.url()).missing()

    assert reason == "the server answered NOT_FOUND: Could not find any versions of model imagenet"


def test_the_model_of_an_unreachable_server_is_missing(client: Connect) -> None:
    assert client(f"grpc://127.0.0.1:{free_port()}/v1/models/imagenet").missing()
