"""Who may do what at the training service: with and without users, from this machine or another, and jobs."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.access import page_files, token
from pipeline.access.logouts import Logouts
from pipeline.access.password import hashed
from pipeline.access.roles import Role
from pipeline.access.session import COOKIE, Sessions
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersFile, write
from pipeline.access.write_token import WriteAccess
from tests.pipeline.access.asgi import Answer, Client
from tests.training.conftest import PLACES, Service
from tests.training.fakes import FakeConsumer
from training.api.parts import Parts
from training.api.rights import VIEWING, Viewing
from training.job_tokens import JobTokens
from training.settings import TrainingSettings
from training.site import Site

HOST = "192.0.2.9:30164"
WRITE_TOKEN = "a-token-of-24-characters"
TOKENS = JobTokens("a secret of the service's")
PASSWORD = "correct horse"
ROLES: dict[str, list[Role]] = {
    "vera": ["viewer"],
    "olaf": ["viewer", "operator"],
    "tina": ["viewer", "trainer"],
    "ada": ["admin"],
}
MODEL = {"name": "digits", "code": "model = 1", "framework": "tf"}


def settings(**given: Any) -> TrainingSettings:
    """Return settings, whatever the environment says."""
    return TrainingSettings(kafkaport="kafka:9092", **given)


def a_site(service: Service, sessions: Sessions | None, writes: WriteAccess | None, **given: Any) -> Client:
    """Return a client on another machine of a whole service."""
    places = replace(PLACES, tokens=TOKENS)
    parts = Parts(
        service.database,
        service.files,
        service.code,
        service.runner,
        service.control,
        places,
        FakeConsumer,  # type: ignore[arg-type]
        service.library,
    )
    return Client(Site(parts, settings(**given), sessions, writes, TOKENS).app, host=HOST)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    """The sessions of a user for each role, each with a token of the same name."""
    path = tmp_path_factory.mktemp("users") / "users.json"
    password = hashed(PASSWORD)
    users = {
        name: User(password=password, cameras=[], roles=roles, tokens={"sdk": token.digest(f"sl_{name}")})
        for name, roles in ROLES.items()
    }
    write(path, UsersFile(secret="s" * 32, users=users))
    logouts = Logouts(Users(path))
    logouts.are_known = True
    return Sessions(Users(path), 3600, logouts)


@pytest.fixture(scope="module")
def sites(running: Service, sessions: Sessions) -> tuple[Client, Client]:
    """Clients of a service that is open to everyone, and of one with users; to make one takes a while."""
    return (
        a_site(running, None, WriteAccess(WRITE_TOKEN, role="trainer")),
        a_site(running, sessions, WriteAccess(role="trainer")),
    )


@pytest.fixture
def public(sites: tuple[Client, Client], service: Service) -> Client:  # noqa: ARG001
    """A client of a service without users, and without rows."""
    return sites[0]


@pytest.fixture
def private(sites: tuple[Client, Client], service: Service) -> Client:  # noqa: ARG001
    """A client of a service with users, and without rows."""
    return sites[1]


def send(client: Client, method: str, path: str, sent: Any = None, **headers: str) -> Answer:
    """Return the answer to a request with JSON."""
    kind = {} if sent is None else {"content_type": "application/json"}
    body = b"" if sent is None else json.dumps(sent).encode()
    return client.ask(method, path, kind | headers, [body])


def as_job(kind: Any, result: int, inference: int = 0) -> dict[str, str]:
    """Return the header with the token of a job."""
    return {"authorization": f"Bearer {TOKENS.issue(kind, result, inference)}"}


def refusal(answer: Answer) -> str:
    """Return the reason of a 403 in JSON."""
    assert answer.status == 403, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json["detail"])


@pytest.mark.parametrize("path", ["/models/", "/results/", "/api/openapi.json", "/api/session"])
def test_without_users_everyone_sees_everything(path: str, public: Client) -> None:
    assert public.get(path).status == 200


def test_without_users_another_machine_changes_nothing_without_the_token(public: Client) -> None:
    why = refusal(send(public, "POST", "/models/", MODEL))

    assert why.startswith("this needs the role trainer: open the page on the server's own machine, or with")
    assert "not valid" in refusal(send(public, "POST", "/models/", MODEL, authorization="Bearer sl_wrong"))
    right = send(public, "POST", "/models/", MODEL, authorization=f"Bearer {WRITE_TOKEN}")
    assert right.status == 201, right.text


def test_the_link_makes_a_browser_a_trainer_with_a_cookie_of_its_own_name(public: Client) -> None:
    there = public.get(f"/?token={WRITE_TOKEN}", accept="text/html")

    assert (there.status, there.headers["location"]) == (303, "/")
    assert there.cookie.startswith("streamlens-write-trainer=")
    assert send(public, "POST", "/models/", MODEL, cookie=there.cookie).status == 201
    # That of the video server on the same machine is for cameras.
    other = there.cookie.replace("-trainer=", "=")
    assert send(public, "DELETE", "/models/1", cookie=other).status == 403


def test_this_machine_needs_no_token_without_users(public: Client) -> None:
    here = Client(public.app, "127.0.0.1", host="127.0.0.1:30164")

    assert send(here, "POST", "/models/", MODEL).status == 201
    assert send(here, "DELETE", "/models/1", x_forwarded_for="192.0.2.7").status == 403


def test_everyone_changes_models_if_the_settings_say_so(service: Service) -> None:
    client = a_site(service, None, WriteAccess(everyone=True, role="trainer"))

    assert send(client, "POST", "/models/", MODEL).status == 201


def test_with_users_a_login_is_required(private: Client) -> None:
    answer = private.get("/models/")

    assert (answer.status, answer.headers["content-type"]) == (401, "application/json")
    assert answer.json["detail"].startswith("log in, or send a token")
    assert private.get("/models/", accept="text/html").headers["location"] == "/login?next=%2Fmodels%2F"
    here = Client(private.app, "127.0.0.1", host="127.0.0.1:30164")
    assert send(here, "POST", "/models/", MODEL).status == 401
    assert private.socket("/ws/").status == 401


@pytest.mark.parametrize("name", ROLES)
def test_all_users_see_and_trainers_change(name: str, private: Client) -> None:
    login = {"authorization": f"Bearer sl_{name}"}

    assert private.get("/models/", **login).status == 200
    answer = send(private, "POST", "/models/", MODEL, **login)

    if name in {"tina", "ada"}:
        assert answer.status == 201, answer.text
    else:
        hint = f"python -m pipeline.users roles {name} {' '.join(ROLES[name])} trainer"
        assert refusal(answer) == f"this needs the role trainer: {hint}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/models/1"),
        ("PATCH", "/models/1"),
        ("DELETE", "/models/1"),
        ("POST", "/configurations/"),
        ("POST", "/deployments/"),
        ("POST", "/deployments/import"),
        ("POST", "/results/stop/1"),
        ("DELETE", "/results/1"),
        ("POST", "/results/1"),
        ("POST", "/results_metrics/1"),
        ("POST", "/results/1/progress"),
        ("POST", "/results/inference/1"),
        ("POST", "/inferences/1"),
        ("POST", "/datasources/kafka"),
        ("POST", "/inferences/1/progress"),
        ("POST", "/results/1/version"),
        ("POST", "/versions/digits/1/promote"),
        ("DELETE", "/versions/digits/1"),
        ("POST", "/example/"),
        ("POST", "/what/comes/later"),
        # These run the model's code, and mark the result as being trained.
        ("GET", "/results/1"),
        ("GET", "/results/+1"),
        ("GET", "/results/%31"),
    ],
)
def test_a_viewer_changes_nothing(method: str, path: str, private: Client) -> None:
    assert "role trainer" in refusal(send(private, method, path, authorization="Bearer sl_vera"))


def test_logging_in_starts_a_session_that_other_services_with_these_users_accept(
    private: Client, sessions: Sessions
) -> None:
    page = private.get("/login")
    answer = private.post("/login", {"name": "tina", "password": PASSWORD, "next": "/"})

    assert (page.status, "<form" in page.text) == (200, True)
    assert private.get("/page/login.css").status == 200
    assert answer.status == 303
    assert send(private, "POST", "/models/", MODEL, cookie=answer.cookie).status == 201
    session = next(each for each in answer.cookies if each.startswith(f"{COOKIE}="))
    assert sessions.find(session.partition(";")[0]) is not None


def test_the_page_learns_who_its_user_is(public: Client, private: Client) -> None:
    said = private.get("/api/session", authorization="Bearer sl_vera").json
    assert said["name"] == "vera"
    assert (said["roles"], said["may_change"]) == (["viewer"], False)
    assert said["why_not"].startswith("this needs the role trainer: ")

    said = public.get("/api/session", authorization=f"Bearer {WRITE_TOKEN}").json
    assert said == {"access": "open", "roles": ["viewer", "trainer"], "may_change": True, "why_not": None}


def test_other_names_and_other_sites_are_refused(public: Client) -> None:
    assert "ALLOWEDHOSTS=evil.example" in refusal(public.get("/models/", host="evil.example"))
    foreign = send(
        public, "POST", "/models/", MODEL, origin="http://evil", authorization=f"Bearer {WRITE_TOKEN}"
    )
    assert "other sites" in refusal(foreign)
    assert public.socket("/ws/", origin="http://evil").status == 403


@pytest.mark.parametrize("host", ["training:8080", "training-service.streamlens.svc:8080", "jobs.example"])
def test_it_answers_where_jobs_reach_it(host: str, service: Service) -> None:
    client = a_site(service, None, None, backendurl="http://jobs.example:8080/training")

    assert client.get("/models/", host=host).status == 200


def test_below_a_path_of_a_proxy_s(service: Service) -> None:
    client = a_site(service, None, None, rootpath="/training")

    for before in ("", "/training"):
        assert client.get(f"{before}/models/").status == 200
        assert client.get(f"{before}/models").headers["location"] == "/training/models/"
        assert "trainer" in refusal(send(client, "POST", f"{before}/models/", MODEL))
        assert "trainer" in refusal(client.get(f"{before}/results/1"))


def test_answers_have_security_headers(public: Client) -> None:
    headers = public.get("/models/").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]


OWN = [("GET", "/results/7"), ("POST", "/results/7"), ("POST", "/results/7/progress")]
NOT_OWN = [
    ("GET", "/"),
    ("GET", "/models/"),
    ("GET", "/results/"),
    ("GET", "/results/8"),
    ("POST", "/results/8"),
    ("GET", "/results/77"),
    ("POST", "/results/8/progress"),
    ("POST", "/results_metrics/8"),
    ("DELETE", "/results/7"),
    ("POST", "/results/stop/7"),
    ("GET", "/results/log/7"),
    ("POST", "/results/inference/7"),
    ("GET", "/api/session"),
    ("POST", "/login"),
    ("POST", "/models/"),
    ("POST", "/inferences/7/progress"),
    ("POST", "/inferences/3"),
    ("GET", "/inferences/3"),
    ("POST", "/versions/digits/1/promote"),
    ("GET", "/versions/digits/1/archive"),
    ("POST", "/example/"),
]


@pytest.mark.parametrize("who", ["public", "private"])
@pytest.mark.parametrize(
    ("method", "path"), [*OWN, ("POST", "/results_metrics/7"), ("POST", "/results/7/version")]
)
def test_a_training_may_do_all_that_it_needs_for_its_result(
    who: str, method: str, path: str, *, public: Client, private: Client
) -> None:
    client = {"public": public, "private": private}[who]
    answer = send(client, method, path, **as_job("training", 7))

    assert answer.status == 400  # there is no such result: the request has come to the API


@pytest.mark.parametrize("who", ["public", "private"])
@pytest.mark.parametrize(("method", "path"), [*NOT_OWN, ("GET", "/results/model/7")])
def test_a_training_may_do_nothing_else(
    who: str, method: str, path: str, *, public: Client, private: Client
) -> None:
    client = {"public": public, "private": private}[who]
    answer = send(client, method, path, **as_job("training", 7))

    assert refusal(answer) == "the token of a job is valid only for its own result"
    # Also from where programs need no token.
    here = Client(client.app, "127.0.0.1", host="127.0.0.1:30164")
    assert send(here, method, path, **as_job("training", 7)).status == 403


@pytest.mark.parametrize(
    ("method", "path"), [*NOT_OWN, ("POST", "/results/7"), ("POST", "/results/7/progress")]
)
def test_an_inference_only_fetches_its_model_and_reports(method: str, path: str, private: Client) -> None:
    job = as_job("inference", 7, 3)

    assert send(private, "POST", "/inferences/3/progress", {}, **job).status == 400
    assert send(private, "GET", "/results/model/7", **job).status == 400
    assert send(private, "GET", "/results/7", **job).status == 400
    assert refusal(send(private, method, path, **job)).startswith("the token of a job")


def test_a_job_opens_no_socket(private: Client) -> None:
    socket = private.socket("/ws/", **as_job("training", 7))

    assert socket.types == ["websocket.close"]


@pytest.mark.parametrize(
    "value",
    [
        JobTokens("another secret").issue("training", 7),
        JobTokens().issue("training", 7),
        TOKENS._signer.dumps("training"),
        TOKENS._signer.dumps(["training", 7]),
        TOKENS._signer.dumps(["admin", 7, 0]),
        TOKENS._signer.dumps(["training", "7", 0]),
        TOKENS.issue("training", 7)[:-1],
        "",
        "é",
    ],
    ids=[
        "another service",
        "an earlier run",
        "text",
        "another version",
        "kind",
        "number",
        "cut",
        "empty",
        "not ASCII",
    ],
)
def test_what_is_not_a_token_of_a_job_counts_for_nothing(value: str, private: Client) -> None:
    assert send(private, "GET", "/results/7", authorization=f"Bearer {value}").status == 401


def test_a_job_that_fetches_and_reports_with_its_token_finishes_its_result(
    private: Client, service: Service
) -> None:
    service.deployment()
    run = service.runner.runs["model-training-1"]
    bearer = {"authorization": f"Bearer {run.variables['RESULT_TOKEN']}"}
    # The runner's stand-in got its token from the places without a secret.
    assert send(private, "GET", "/results/1", **bearer).status == 401

    assert send(private, "GET", "/results/1", **as_job("training", 1)).status == 200
    reported = send(private, "POST", "/results/1/progress", {"state": "reading"}, **as_job("training", 1))
    assert reported.status == 200
    assert service.get("/results/")[0]["state"] == "reading"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page in place of the real one."""
    (tmp_path / "index.html").write_text("<!doctype html><title>the page</title>")
    (tmp_path / "app.js").write_text("'a script'")
    monkeypatch.setattr("training.api.page._PAGE", tmp_path)
    return tmp_path


def test_the_page_is_at_the_root_and_its_files_need_no_login(
    page: Path, service: Service, sessions: Sessions
) -> None:
    client = a_site(service, sessions, None)

    index = client.get("/", authorization="Bearer sl_vera")
    # The client is gone before the file is read.
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert index.headers["content-length"] == str((page / "index.html").stat().st_size)
    assert index.headers["cache-control"] == client.get("/page/app.js").headers["cache-control"] == "no-cache"
    assert client.get("/page/login.css").status == 200
    assert client.get("/page/../page.py").status == 404
    assert client.get("/", accept="text/html").headers["location"] == "/login"


@pytest.mark.parametrize("path", ["icon.svg", "theme.js", "style/tokens.css"])
def test_the_login_page_finds_its_files_on_the_real_page(path: str, public: Client) -> None:
    assert public.get(f"/page/{path}").status == 200
    assert f"page/{path}" in page_files.FOLDER.joinpath("login.html").read_text()


class Watching:
    """A browser's side of `/ws/`."""

    def __init__(self, client: Client, **headers: str) -> None:
        self._app = client.app
        pairs = {"host": HOST, **headers}
        self._scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": "/ws/",
            "raw_path": b"/ws/",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
            "client": ("192.0.2.1", 40_000),
            "server": ("192.0.2.9", 8080),
            "subprotocols": [],
            "extensions": {},
        }

    def ask(self, topic: str) -> list[dict[str, Any]]:
        """Return all messages until the service closes the socket, or the browser does."""

        async def run() -> list[dict[str, Any]]:
            sent = [
                {"type": "websocket.connect"},
                {"type": "websocket.receive", "text": json.dumps({"topic": topic})},
                {"type": "websocket.disconnect", "code": 1001},
            ]
            got = list[dict[str, Any]]()

            async def receive() -> Any:
                return sent.pop(0)

            async def send(message: Any) -> None:
                got.append(message)

            await self._app(self._scope, receive, send)
            return got

        return asyncio.run(run())


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The topics that are read."""
    topics = list[str]()

    async def note(_: Any, __: Any, watched: Any, ___: Any) -> None:
        topics.append(watched.topic)

    monkeypatch.setattr("training.api.visualisation._send", note)
    return topics  # type: ignore[return-value]


def test_a_viewer_watches_predictions_only_and_a_trainer_any_topic(
    private: Client, service: Service, reading: list[str]
) -> None:
    from tests.training.api.test_inferences import SENT

    service.post(f"/results/inference/{service.finished()}", SENT, 200)
    viewer = Watching(private, authorization="Bearer sl_vera")
    trainer = Watching(private, authorization="Bearer sl_tina")

    refused = viewer.ask("cameras")[-1]
    allowed = viewer.ask(SENT["output_topic"])
    trainer.ask("cameras")

    assert (refused["type"], refused["code"]) == ("websocket.close", 1008)
    assert refused["reason"] == "other topics than those of inferences need the role trainer"
    assert [each["type"] for each in allowed] == ["websocket.accept"]
    assert set(reading) <= {SENT["output_topic"], "cameras"}


def test_watching_ends_with_the_session(service: Service) -> None:
    from tests.training.api.test_visualisation import LIMIT, Browser, Consumer, run

    consumer, still_valid = Consumer(out=[b"0.5"]), [True]

    async def visit(endpoint: Any) -> None:
        async def gated(scope: Any, receive: Any, send: Any) -> None:
            viewing = Viewing(any_topic=True, welcome=lambda: still_valid[0])
            await endpoint({**scope, VIEWING: viewing}, receive, send)

        browser = Browser(gated)
        await browser.receive()
        browser.send('{"topic": "out"}')
        assert (await browser.receive())["text"] == "0.5"
        still_valid[0] = False
        closed = await browser.receive()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
        browser.leave()
        await asyncio.wait_for(browser.served, LIMIT)

    run(service, [consumer], visit)

    assert consumer.is_closed


def test_the_write_token_is_no_part_of_what_settings_show() -> None:
    assert WRITE_TOKEN not in repr(settings(writetoken=SecretStr(WRITE_TOKEN)))
