import re
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from pipeline.service.masking import hide
from pipeline.service.settings import KafkaReads, KafkaWrites, SettingsError, load, strangers
from pipeline.service.values import (
    Address,
    Bootstrap,
    Duration,
    FrameInterval,
    JsonMap,
    Port,
    Topic,
    parse_address,
    parse_duration,
    parse_json_map,
)
from tests.pipeline.service.links import SECRET, links_with_a_password

Environment = Callable[..., None]

SECONDS = {
    "ns": "1e-9",
    "us": "1e-6",
    "µs": "1e-6",
    "μs": "1e-6",
    "ms": "1e-3",
    "s": "1",
    "m": "60",
    "h": "3600",
}
GO_DURATION = r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)"  # Go takes both


class Example(KafkaReads, KafkaWrites):
    """One setting of every kind."""

    topicname: Topic = Field(description="a topic")
    kafkaport: Bootstrap = Field("kf1-service:19091", description="Kafka's address")
    frameinterval: Duration = Field(0.042, ge=0.001, le=3600, description="a duration such as 42ms")
    displayport: Port = Field(Address("", 8080), description="where to listen, such as :8080")
    modelurls: JsonMap = Field({}, description="a JSON object, name to URL")
    pace: FrameInterval = Field(0.042, description="time between two frames")
    imagescalex: float = Field(1, gt=0, le=8, description="a factor")
    videolink: SecretStr = Field(SecretStr(""), max_length=1000, description="a URL")
    backuplink: Annotated[SecretStr | None, Field(max_length=60)] = Field(None, description="a URL")
    cameraname: str = Field("door", description="a name")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set these variables, and of the settings no other."""
    for name in Example.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


def problem() -> str:
    with pytest.raises(SettingsError) as caught:
        load(Example)
    return str(caught.value)


# Durations


@given(
    st.sampled_from(["", "+", "-"]),
    st.lists(
        st.tuples(
            st.sampled_from(["{0}", "{0}.", "{0}.{1}", ".{1}"]),
            st.integers(0, 10**9),
            st.from_regex(r"[0-9]{1,9}", fullmatch=True),
            st.sampled_from(sorted(SECONDS)),
        ),
        min_size=1,
        max_size=5,
    ),
)
def test_a_go_duration_is_the_sum_of_its_parts(sign: str, parts: list[tuple[str, int, str, str]]) -> None:
    text = sign + "".join(form.format(whole, digits) + unit for form, whole, digits, unit in parts)
    with localcontext() as context:
        context.prec = 60
        seconds = sum(
            Decimal(("0" if form.startswith(".") else "") + form.format(whole, digits))
            * Decimal(SECONDS[unit])
            for form, whole, digits, unit in parts
        )

    duration = parse_duration(text)

    assert duration == float(-seconds if sign == "-" else seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("42ms", 0.042),
        ("1s", 1),
        ("1.5s", 1.5),
        ("1h10m", 4200),
        ("0", 0),
        ("-0", 0),
        ("+5us", 5e-6),
        ("-2m", -120),
    ],
)
def test_durations_people_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@given(st.text("0123456789.+-nsuµμmh ٣", max_size=12))  # Go takes both
@example("")
@example("+-1s")
@example("1.s")
@example(".s")
@example("1")
@example("1d")
@example("٣s")
def test_a_duration_is_accepted_exactly_when_go_accepts_it(text: str) -> None:
    is_duration = re.fullmatch(GO_DURATION, text, re.ASCII) is not None

    try:
        parse_duration(text)
        taken = True
    except ValueError:
        taken = False

    assert taken == is_duration


@pytest.mark.parametrize("text", ["9" * 400 + "h", "9" * 5000 + "s"])
def test_a_duration_too_long_for_a_number_is_rejected(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the text is Python's
        parse_duration(text)


# JSON objects and addresses


def test_a_json_object_is_read() -> None:
    assert parse_json_map('{"imagenet_1": "http://host:8501"}') == {"imagenet_1": "http://host:8501"}


@pytest.mark.parametrize("text", [r"{\"a\": \"b\\\"c\"}", '{ \\"a\\":\n\\"b\\\\\\"c\\"}'])
def test_a_json_objects_quotes_may_all_be_escaped(text: str) -> None:
    assert parse_json_map(text) == {"a": 'b"c'}


@pytest.mark.parametrize(
    "text", [r'{\"a\": "b"}', r"{\"a", "", "[1]", "5", "null", "{", "{'a': 1}", "[" * 100_000]
)
def test_anything_but_a_json_object_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a JSON object"):
        parse_json_map(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8080", ("", 8080)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
        ("host:09", ("host", 9)),
    ],
)
def test_an_address_is_read(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == Address(*address)


@pytest.mark.parametrize("text", [":8080", "127.0.0.1:80", "host:9", "[::1]:80", "[fe80::1%eth0]:80"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "8080", ":", ":x", ":-1", ":65536", ":123456", ":٣", ": 80", ":80 ", "a:b", "a b:80"),
        *("::1:80", "::1", "[::1]", "[::1:80", "::1]:80", "[]:80", "[host]:80", "[::1%]:80"),
    ],
)
def test_anything_but_an_address_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a port"):
        parse_address(text)


@pytest.mark.parametrize("value", [0.5, {"a": "b"}, Address("", 1)])
def test_anything_but_text_passes_unchanged(value: object) -> None:
    assert parse_duration(value) is value
    assert parse_json_map(value) is value
    assert parse_address(value) is value


@pytest.mark.parametrize(
    "text", ["kf1-service:19091", "a:1,b.c:2", "127.0.0.1:9092", "[::1]:9092", "[fd00::1]:1, b:2,\n c:3"]
)
def test_kafkas_address_is_accepted(environment: Environment, text: str) -> None:
    environment(TOPICNAME="videocam", KAFKAPORT=text)

    assert load(Example).kafkaport == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "kafka",
            "kafka:",
            ":9092",
            "a:1,",
            "a:1 b:2",
            "a b:1",
            "a: 1",
            "a:1;b:2",
            "a:b",
            "a:1:2",
            "a:99999",
        ),
        *("fd00::1:9092", "[fd00::1]", "[fd00::1", "[kafka]:9092", "a:1,[::1]"),
    ],
)
def test_anything_but_kafkas_address_is_rejected(environment: Environment, text: str) -> None:
    environment(TOPICNAME="videocam", KAFKAPORT=text)

    assert problem().startswith(f"KAFKAPORT={text!r}: ")


# Topics


@pytest.mark.parametrize("name", ["videocam", "A.b_c-9", "...", "x" * 249])
def test_a_topics_name_is_accepted_as_kafka_allows_it(environment: Environment, name: str) -> None:
    environment(TOPICNAME=name)

    assert load(Example).topicname == name


@pytest.mark.parametrize("name", [".", "..", "x" * 250, "a b", "a/b", "vidéo", "a:b", "a\nb", "a,b", "Ⅷ"])
def test_another_topics_name_is_rejected_in_one_line(environment: Environment, name: str) -> None:
    environment(TOPICNAME=name)

    (line,) = problem().splitlines()
    assert line.startswith(f"TOPICNAME={name!r}: ")
    assert all(part in line for part in ("249", "letters", "digits", "'.', '_' and '-'"))


# Intervals between frames


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("42ms", 0.042),
        ("1ms", 0.001),
        ("1us", 0.001),
        ("1ns", 0.001),
        ("0", 0.001),
        ("0s", 0.001),
        ("1h", 3600),
    ],
)
def test_an_interval_is_at_least_the_shortest(environment: Environment, text: str, seconds: float) -> None:
    environment(TOPICNAME="videocam", PACE=text)

    assert load(Example).pace == seconds


@pytest.mark.parametrize("text", ["-1us", "-1s", "1h1ms", "1"])
def test_another_interval_is_rejected(environment: Environment, text: str) -> None:
    environment(TOPICNAME="videocam", PACE=text)

    assert problem().startswith(f"PACE={text!r}: expected a ")


# Passwords


@given(links_with_a_password())
def test_a_rejected_link_is_shown_without_its_password(link: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOPICNAME", "videocam")
        patch.setenv("VIDEOLINK", link + "/" * 1000)
        patch.setenv("BACKUPLINK", link + "/" * 60)

        text = problem()

    assert SECRET not in text
    assert [line.partition("=")[0] for line in text.split("\n")] == ["VIDEOLINK", "BACKUPLINK"]


@pytest.mark.parametrize(
    "value",
    [
        '{"sasl.password": "hunter2"',
        '["hunter2"]',
        '"hunter2"',
        "hunter2",
        '{"a": hunter2}',
        '{"a"\x01hunter2',
    ],
)
def test_a_rejected_kafkaconfig_is_not_shown(environment: Environment, value: str) -> None:
    environment(TOPICNAME="videocam", KAFKACONFIG=value)

    text = problem()

    assert SECRET not in text
    assert text.startswith("KAFKACONFIG='***': expected a JSON object")


def test_settings_show_no_secret_when_printed(environment: Environment) -> None:
    environment(
        TOPICNAME="videocam", VIDEOLINK="rtsp://joe:hunter2@host/", KAFKACONFIG='{"sasl.password": "hunter2"}'
    )

    settings = load(Example)

    assert settings.kafkaconfig == {"sasl.password": SECRET}
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


@pytest.mark.usefixtures("nothing_known")
def test_secrets_are_learnt_from_links_and_json_and_nothing_else(environment: Environment) -> None:
    environment(
        TOPICNAME="videocam",
        KAFKACONFIG='{"sasl.password": "in-kafkaconfig"}',
        MODELURLS='{"imagenet_1": "http://joe:in-modelurls@host/"}',
        VIDEOLINK="rtsp://joe:in-videolink@host/",
        BACKUPLINK="http://host/?token=in-backuplink",
        CAMERANAME="gate@north",
        STATEFOLDER="/var/lib/gate:north@site",
    )

    load(Example)

    assert hide("in-kafkaconfig in-modelurls in-videolink in-backuplink") == "*** *** *** ***"
    assert hide("gate@north, gate, north: /var/lib/gate") == "gate@north, gate, north: /var/lib/gate"


# Loading


def test_the_settings_come_from_the_environment(environment: Environment) -> None:
    environment(
        TOPICNAME="videocam",
        FRAMEINTERVAL="1s",
        DISPLAYPORT="127.0.0.1:80",
        MODELURLS='{"a": "b"}',
        LOGLEVEL="debug",
    )

    settings = load(Example)

    assert settings.topicname == "videocam"
    assert settings.frameinterval == 1
    assert settings.displayport == Address("127.0.0.1", 80)
    assert settings.modelurls == {"a": "b"}
    assert settings.loglevel == "debug"


def test_settings_that_are_not_set_have_their_defaults(environment: Environment) -> None:
    environment(TOPICNAME="videocam")

    settings = load(Example)

    assert settings.frameinterval == 0.042
    assert settings.compressiontype == "none"
    assert settings.healthport == Address("", 9000)
    assert settings.kafkaconfig == {}
    assert settings.logformat == "auto"


def test_an_empty_variable_counts_as_unset(environment: Environment) -> None:
    environment(TOPICNAME="", FRAMEINTERVAL=" ", MODELURLS="\n", KAFKACONFIG='""', LOGLEVEL="''")

    assert problem() == "TOPICNAME is not set (a topic)"


TRIMMED = {
    "TOPICNAME": "videocam",
    "KAFKAPORT": "kafka:9092",
    "FRAMEINTERVAL": "1s",
    "DISPLAYPORT": ":80",
    "MODELURLS": '{"a":"http://b/c", \n"d": "e"}',
    "KAFKACONFIG": '{"client.id": "x"}',
    "IMAGESCALEX": "0.5",
    "VIDEOLINK": "rtsp://joe:a\"b'c@host/x y",
    "BACKUPLINK": "FILE:///a b",
    "MAXCAMERAS": "7",
    "COMPRESSIONTYPE": "gzip",
    "LOGLEVEL": "debug",
}


@pytest.mark.parametrize("form", [" {} ", "{}\n", "\n  {} \r\n", '"{}"', "'{}'", ' "{}"\n'])
def test_what_surrounds_a_value_does_not_matter(environment: Environment, form: str) -> None:
    environment(**TRIMMED)
    plain = load(Example)
    environment(**{name: form.format(value) for name, value in TRIMMED.items()})

    assert load(Example) == plain
    assert plain.videolink.get_secret_value() == TRIMMED["VIDEOLINK"]


def test_a_password_may_end_with_quotes_and_spaces(environment: Environment) -> None:
    environment(TOPICNAME="videocam", KAFKACONFIG="""'{"sasl.password": " 'hunter2\\" "}'""")

    assert load(Example).kafkaconfig == {"sasl.password": " 'hunter2\" "}


def test_a_wrong_value_is_shown_as_it_was_understood(environment: Environment) -> None:
    environment(TOPICNAME="videocam", FRAMEINTERVAL=' "42"\n')

    assert problem().startswith("FRAMEINTERVAL='42': ")


@pytest.mark.parametrize(
    ("name", "value", "says", "takes"),
    [
        ("FRAMEINTERVAL", "42", "expected a Go duration such as 42ms", "a duration such as 42ms"),
        ("FRAMEINTERVAL", "0s", "greater than or equal to 0.001", "a duration such as 42ms"),
        ("FRAMEINTERVAL", "-1s", "greater than or equal to 0.001", "a duration such as 42ms"),
        ("FRAMEINTERVAL", "2h", "less than or equal to 3600", "a duration such as 42ms"),
        ("FRAMEINTERVAL", "9" * 400 + "s", "the duration is too long", "a duration such as 42ms"),
        ("DISPLAYPORT", "8080", "expected a port such as :8080", "where to listen, such as :8080"),
        ("MODELURLS", "{", "invalid JSON", "a JSON object, name to URL"),
        ("MODELURLS", "[]", "expected a JSON object", "a JSON object, name to URL"),
        ("MODELURLS", '{"a": 1}', "expected a text", "a JSON object, name to URL"),
        ("KAFKAPORT", "kafka", "host:port", "Kafka's address"),
        ("COMPRESSIONTYPE", "rar", "'none', 'gzip'", "none, gzip, snappy, lz4 or zstd"),
        ("IMAGESCALEX", "0", "greater than 0", "a factor"),
        ("IMAGESCALEX", "nan", "less than or equal to 8", "a factor"),
        ("IMAGESCALEX", "two", "expected a number", "a factor"),
        ("LOGLEVEL", "loud", "'debug', 'info'", "debug, info, warning or error"),
        ("LOGFORMAT", "xml", "'auto', 'text' or 'json'", "auto: text on a terminal"),
        ("KAFKAFETCHWAIT", "2s", "less than or equal to 1", "1ms to 1s"),
        ("HEALTHPORT", ":99999", "expected a port", ":9000"),
    ],
)
def test_a_wrong_value_is_reported_with_its_name_and_what_it_takes(
    environment: Environment, name: str, value: str, says: str, takes: str
) -> None:
    environment(**{"TOPICNAME": "videocam", name: value})

    text = problem()

    assert text.startswith(f"{name}={value!r}: ")
    assert says in text
    assert re.search(rf" \(.*{re.escape(takes)}.*\)$", text)
    assert len(text.splitlines()) == 1


def test_a_value_that_is_not_utf8_is_reported(environment: Environment) -> None:
    environment(TOPICNAME="t\udcfcr")

    assert problem() == r"TOPICNAME='t\udcfcr': expected text in UTF-8"


def test_half_a_surrogate_pair_in_json_is_rejected() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        parse_json_map(r'{"sasl.password": "\ud800"}')


def test_every_wrong_setting_has_one_line(environment: Environment) -> None:
    environment(FRAMEINTERVAL="x", IMAGESCALEX="y", MODELURLS='{"a": 1, "b": 2}', LOGLEVEL="z")

    names = [re.split("[= ]", line)[0] for line in problem().splitlines()]

    assert sorted(names) == ["FRAMEINTERVAL", "IMAGESCALEX", "LOGLEVEL", "MODELURLS", "TOPICNAME"]


@given(
    st.sampled_from([name.upper() for name in Example.model_fields]),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1),
)
@example("MODELURLS", '{"\\ud800": 1}')
@example("FRAMEINTERVAL", "4\n2ms")
def test_any_value_is_accepted_or_reported_in_one_line(name: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for other in Example.model_fields:
            patch.delenv(other.upper(), raising=False)
        patch.setenv("TOPICNAME", "videocam")
        patch.setenv(name, value)

        try:
            load(Example)
            lines = []
        except SettingsError as error:
            lines = str(error).splitlines()

    assert len(lines) <= 1
    assert all(line.startswith((f"{name}=", f"{name} is not set")) for line in lines)


@pytest.mark.parametrize("value", ["x" * 5000, "\udcf3" * 1000, "{" + "\\" * 3000])
def test_a_long_value_is_cut(environment: Environment, value: str) -> None:
    environment(TOPICNAME=value, MODELURLS=value, FRAMEINTERVAL=value)

    assert max(map(len, problem().splitlines())) < 1100
    assert "…: expected" in problem()


@pytest.mark.usefixtures("nothing_known")
def test_no_part_of_a_secret_is_left_where_a_value_is_cut(environment: Environment) -> None:
    secret = "hunter2-" * 10
    environment(TOPICNAME="x" * 450 + secret, VIDEOLINK=f"rtsp://joe:{secret}@host/")

    assert SECRET not in problem()


# Misspelt names


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("TOPICNAMES", "TOPICNAME"), ("FRAMEINTERVALL", "FRAMEINTERVAL"), ("DISPLYPORT", "DISPLAYPORT")],
)
def test_a_misspelt_name_is_reported(environment: Environment, misspelt: str, meant: str) -> None:
    environment(**{misspelt: "x"})

    (line,) = strangers(Example)
    assert line.startswith(f"{misspelt} is not a setting")
    assert f"did you mean {meant}?" in line


def test_names_of_others_are_left_alone(environment: Environment) -> None:
    environment(
        TOPICNAME="x",
        KAFKA_PORT="tcp://10.0.0.1:9092",
        TOPIC_NAME="x",
        topicnames="x",
        EDITOR="vi",
        LANGUAGE="en",
    )

    assert strangers(Example) == []
