from collections.abc import Callable

import pytest

from pipeline.cameras.links import SCHEMES
from pipeline.service.settings import SettingsError, load
from pipeline.service.values import Address
from producer.settings import ProducerSettings

Environment = Callable[..., None]


@pytest.fixture
def settings(environment: Environment) -> Callable[..., ProducerSettings]:
    """Load the settings with these variables."""
    environment(KAFKAPORT="kf1-service:19091")

    def load_with(**variables: str) -> ProducerSettings:
        environment(**variables)
        return load(ProducerSettings)

    return load_with


def test_the_original_systems_variables_are_accepted(settings: Callable[..., ProducerSettings]) -> None:
    loaded = settings(
        VIDEOLINK="rtsp://joe:hunter2@camera/stream1",
        FRAMEINTERVAL="42ms",
        TOPICNAME="videocam",
        COMPRESSIONTYPE="snappy",
        IMAGESCALEX="0.5",
        IMAGESCALEY="0.25",
    )

    assert loaded.source == "rtsp://joe:hunter2@camera/stream1"
    assert loaded.frameinterval == 0.042
    assert loaded.topicname == "videocam"
    assert loaded.kafkaport == "kf1-service:19091"
    assert loaded.compressiontype == "snappy"
    assert (loaded.imagescalex, loaded.imagescaley) == (0.5, 0.25)


def test_the_defaults_are_safe(settings: Callable[..., ProducerSettings]) -> None:
    loaded = settings(VIDEODEVICE="0")

    assert loaded.cameraname == "camera"
    assert loaded.frameinterval == 0.042
    assert loaded.topicname == "videocam"
    assert (loaded.imagescalex, loaded.imagescaley) == (1, 1)
    assert loaded.frameformat == "jpeg"


@pytest.mark.parametrize("variables", [{}, {"VIDEOLINK": ""}, {"VIDEOLINK": " ", "VIDEODEVICE": "''"}])
def test_a_source_is_required(settings: Callable[..., ProducerSettings], variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**variables)

    assert "VIDEOLINK" in str(caught.value)
    assert "VIDEODEVICE" in str(caught.value)


def test_the_link_has_priority_over_the_device(settings: Callable[..., ProducerSettings]) -> None:
    assert settings(VIDEOLINK="rtsp://camera/", VIDEODEVICE="0").source == "rtsp://camera/"


@pytest.mark.parametrize("name", ["VIDEOLINK", "VIDEODEVICE"])
@pytest.mark.parametrize(
    "link", ["0", "/dev/video0", "my clip%20.mp4", "file:///my clip%20.mp4", "rtsp://camera/mp4:clip.mov"]
)
def test_either_variable_names_any_kind_of_camera(
    settings: Callable[..., ProducerSettings], name: str, link: str
) -> None:
    assert settings(**{name: link}).source == link


@pytest.mark.parametrize(
    ("link", "read"),
    [
        ("RTSP://Camera/Stream", "rtsp://Camera/Stream"),
        ("Http://joe:a b@camera/my stream?x=a b", "http://joe:a%20b@camera/my%20stream?x=a%20b"),
        ("FILE:///My clip%20.mp4", "file:///My clip%20.mp4"),
        ("UDP://@239.0.0.1:1234", "udp://@239.0.0.1:1234"),
        ("rtsp://joe:p@[fd00::1]:554/a%25b", "rtsp://joe:p@[fd00::1]:554/a%25b"),
        ("rtsp://[fe80::1%25eth0]/a", "rtsp://[fe80::1%eth0]/a"),
        ("rtsp://[fe80::1%eth0]/a", "rtsp://[fe80::1%eth0]/a"),
        ("http://joe:p@[fe80::1%eth0]/a", "http://joe:p@[fe80::1%25eth0]/a"),
        ("http://[fe80::1%25eth0]/a", "http://[fe80::1%25eth0]/a"),
        (' "rtsp://camera/a"\n', "rtsp://camera/a"),
    ],
)
def test_links_are_read_as_users_write_them(
    settings: Callable[..., ProducerSettings], link: str, read: str
) -> None:
    assert settings(VIDEOLINK=link).source == read


@pytest.mark.parametrize("name", ["VIDEOLINK", "VIDEODEVICE"])
@pytest.mark.parametrize("password", ["hunter 2", 'hunter"2', "hunter'2"])
def test_any_password_in_a_refused_link_is_masked(
    settings: Callable[..., ProducerSettings], name: str, password: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{name: f"onvif://joe:{password}@camera/"})

    assert f"{name}='onvif://joe:***@camera/': " in str(caught.value)


@pytest.mark.parametrize("name", ["VIDEOLINK", "VIDEODEVICE"])
def test_a_link_with_an_unknown_scheme_is_refused(
    settings: Callable[..., ProducerSettings], name: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{name: "gopher://joe:hunter2@camera/"})

    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{name}='gopher://joe:***@camera/': ")
    assert ", ".join(SCHEMES) in line


def test_a_link_for_onvif_names_the_command_that_takes_it(settings: Callable[..., ProducerSettings]) -> None:
    with pytest.raises(
        SettingsError, match=r"only python -m producer\.cameras asks cameras with ONVIF: disc"
    ):
        settings(VIDEOLINK="onvif://joe:hunter2@camera/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAMERANAME", "x" * 201),
        ("CAMERANAME", "front\tdoor"),
        ("CAMERANAME", "front\u200bdoor"),
        ("FRAMEINTERVAL", "-1s"),
        ("FRAMEINTERVAL", "2h"),
        ("TOPICNAME", "video cam"),
        ("KAFKAPORT", "kafka"),
        ("IMAGESCALEX", "0"),
        ("IMAGESCALEY", "9"),
        ("JPEGQUALITY", "0"),
        ("JPEGQUALITY", "101"),
        ("JPEGQUALITY", "8.5"),
        ("FRAMEFORMAT", "png"),
        ("FROZENAFTER", "0s"),
        ("FROZENAFTER", "601s"),
        ("COMPRESSIONTYPE", "rar"),
    ],
)
def test_a_wrong_value_is_reported_in_one_line(
    settings: Callable[..., ProducerSettings], name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{"VIDEODEVICE": "0", name: value})

    text = str(caught.value)
    assert text.startswith(f"{name}={value!r}: ")
    assert text.endswith(")")
    assert len(text.splitlines()) == 1


def test_the_link_is_not_shown_when_the_settings_are_printed(
    settings: Callable[..., ProducerSettings],
) -> None:
    loaded = settings(VIDEOLINK="rtsp://joe:hunter2@camera/", KAFKACONFIG='{"sasl.password": "hunter2"}')

    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in str(loaded)


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in ProducerSettings.model_fields.values())


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", set()),
        ("nvr.local", {"nvr.local"}),
        (" NVR.local , 192.168.1.9,", {"nvr.local", "192.168.1.9"}),
        ("fd00::1,[FD00:0::2]", {"fd00::1", "fd00::2"}),
    ],
)
def test_hosts_are_separated_by_commas(environment: Environment, text: str, hosts: set[str]) -> None:
    environment(VIDEOLINK="http://camera/", KAFKAPORT="kafka:9092", REDIRECTHOSTS=text)

    assert load(ProducerSettings).redirecthosts == hosts


@pytest.mark.parametrize(
    "text", ["http://nvr", "nvr:80", "abc:80", "[::1]:80", "a/b", "joe@nvr", "two words"]
)
def test_hosts_have_neither_scheme_nor_port(environment: Environment, text: str) -> None:
    environment(VIDEOLINK="http://camera/", KAFKAPORT="kafka:9092", REDIRECTHOSTS=text)

    with pytest.raises(SettingsError, match="REDIRECTHOSTS"):
        load(ProducerSettings)


def test_our_own_services_are_kafka_the_healthport_and_what_is_named(
    settings: Callable[..., ProducerSettings],
) -> None:
    loaded = settings(
        VIDEOLINK="/clip.avi",
        KAFKAPORT="kf1:9092,[fd00::1]:9093",
        HEALTHPORT="127.0.0.1:9001",
        OWNSERVICES=" :30163, tfserving:8501,",
    )

    assert loaded.services == (
        Address("127.0.0.1", 9001),
        Address("kf1", 9092),
        Address("fd00::1", 9093),
        Address("", 30163),
        Address("tfserving", 8501),
    )


@pytest.mark.parametrize("text", ["page", ":99999", "http://page:80/", "a:1 b:2"])
def test_a_service_without_a_port_is_refused(environment: Environment, text: str) -> None:
    environment(VIDEOLINK="http://camera/", KAFKAPORT="kafka:9092", OWNSERVICES=text)

    with pytest.raises(SettingsError, match=r"OWNSERVICES.*:30163,tfserving:8501"):
        load(ProducerSettings)


def test_with_a_topic_of_cameras_no_link_is_required(settings: Callable[..., ProducerSettings]) -> None:
    taken = settings(CAMERASTOPIC="cameras")

    assert taken.source == ""
    assert (taken.groupname, taken.topicnamemembers) == ("producer", "members")


def test_by_default_links_of_records_lead_to_networks_only(
    settings: Callable[..., ProducerSettings],
) -> None:
    schemes = settings(CAMERASTOPIC="cameras").linkschemes

    assert {"rtsp", "http", "https"} < schemes
    assert not schemes & {"file", "unix", "device"}


def test_an_operator_lists_other_schemes(settings: Callable[..., ProducerSettings]) -> None:
    assert settings(CAMERASTOPIC="cameras", LINKSCHEMES=" rtsp, FILE,device ").linkschemes == {
        "rtsp",
        "file",
        "device",
    }


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("LINKSCHEMES", "rtsp,gopher", "gopher"),
        ("CAMERASTOPIC", "a b", "CAMERASTOPIC='a b'"),
        ("CAMERASTOPIC", "videocam", "TOPICNAME"),
        ("CAMERASTOPIC", "status", "TOPICNAMESTATUS"),
        ("CAMERASTOPIC", "members", "TOPICNAMEMEMBERS"),
    ],
)
def test_wrong_settings_of_shared_cameras_are_named(
    settings: Callable[..., ProducerSettings], name: str, value: str, found: str
) -> None:
    with pytest.raises(SettingsError, match=found) as error:
        settings(**{"CAMERASTOPIC": "cameras", name: value})

    assert "\n" not in str(error.value)
