"""The table of parts and their environments."""

import itertools
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from compose.addresses import command_for_cameras, page_address, served_address, training_address
from compose.cameras import Camera
from compose.options import ROOT, Options
from compose.parts import Part, environment, most_ports, table
from training.settings import TrainingSettings
from video.settings import VideoSettings

DOOR = Camera("door", "rtsp://u:secret@h/x")
YARD = Camera("yard", "/films/yard.mp4")


def parts(
    cameras: tuple[Camera, ...] = (DOOR,),
    kafka: str = "",
    model_url: str = "",
    *,
    no_model: bool = False,
    users: str = "",
    producers: int = 1,
    is_demo: bool = False,
    int8: bool = False,
    training: int = 0,
    trained: str = "",
) -> dict[str, Part]:
    options = Options(
        cameras, 30163, kafka, model_url, no_model, None, users, producers, is_demo, int8, training
    )
    key = {"CAMERASKEYFILE": "/state/cameras.key"}
    ports = itertools.islice(itertools.count(41_000), most_ports(options))
    return {part.name: part for part in table(options, ports, "/state", key, trained)}


def variables(part: Part, **inherited: str) -> dict[str, str]:
    return environment(part, "127.0.0.1:9092", inherited)


def test_everything_of_our_own() -> None:
    found = parts((DOOR, YARD), producers=2)

    names = ["broker", "tfserving", "cameras", "producer 1", "producer 2", "consumer", "video"]
    assert list(found) == names
    assert [part.command[2] for part in found.values()] == [
        *("compose.broker", "tfserving.server", "compose.given", "producer", "producer", "consumer", "video")
    ]
    assert found["broker"].command[3:] == (
        "--topic=videocam:8",
        "--topic=videodisplay:8",
        "--topic=status:1",
        "--topic=members:1",
        "--keep=logouts:1",
        "--keep=cameras:1",
    )
    assert variables(found["broker"])["STATEFOLDER"] == "/state"
    assert variables(found["broker"], STATEFOLDER="/mine")["STATEFOLDER"] == "/mine"
    assert found["tfserving"].command[3:] == (
        "--host=127.0.0.1",
        "--port=41001",
        "--rest_api_port=41000",
        "--model_name=imagenet",
        "--model_base_path=build/models/imagenet",
    )
    ports = [part.port for part in found.values() if part.port]
    assert len(set(ports)) == len(ports) == 5


def test_a_producer_knows_where_no_camera_may_lead() -> None:
    found = parts((DOOR, YARD), producers=2)
    listening = {30163, 41_001, *(part.port for part in found.values() if part.port)}

    for name in "producer 1", "producer 2":
        named = {int(each.removeprefix(":")) for each in variables(found[name])["OWNSERVICES"].split(",")}
        assert named == listening


def test_parts_that_run_elsewhere_are_not_started() -> None:
    url = "http://models:8501/v1/models/imagenet:predict"

    found = parts(kafka="k:9092", model_url=url)

    assert list(found) == ["cameras", "producer", "consumer", "video"]
    assert json.loads(variables(found["consumer"])["MODELURLS"]) == {"imagenet_1": url}
    assert "KAFKAFETCHWAIT" not in variables(found["consumer"])


def test_without_a_model() -> None:
    found = parts(no_model=True)

    assert "tfserving" not in found
    assert variables(found["consumer"])["MODELURLS"] == "{}"
    assert variables(found["consumer"])["LABELURLS"] == "{}"


def test_two_precisions_have_a_server_each() -> None:
    found = parts(int8=True)

    servers = {name: part for name, part in found.items() if part.role == "tfserving"}
    assert [part.command[-1] for part in servers.values()] == [
        "--model_base_path=build/models/imagenet",
        "--model_base_path=build/models/imagenet_int8",
    ]
    ports = [part.port for part in servers.values()]
    urls = json.loads(variables(found["consumer"])["MODELURLS"])
    assert urls == {
        name: f"http://127.0.0.1:{port}/v1/models/imagenet:predict"
        for name, port in zip(("imagenet_32", "imagenet_8"), ports, strict=True)
    }
    assert json.loads(variables(found["consumer"])["LABELURLS"]).keys() == urls.keys()
    refused = variables(found["producer"])["OWNSERVICES"].split(",")
    assert {f":{port}" for port in (*ports, *(port + 1 for port in ports))} <= set(refused)


def test_a_broker_has_a_partition_for_each_camera() -> None:
    many = tuple(Camera(str(number), "0") for number in range(9))

    assert "--topic=videocam:9" in parts(many)["broker"].command


def test_the_given_cameras_are_written_as_records() -> None:
    given = variables(parts((DOOR, YARD))["cameras"])
    demo = variables(parts(is_demo=True)["cameras"])

    assert json.loads(given["GIVENCAMERAS"]) == {"door": "rtsp://u:secret@h/x", "yard": "/films/yard.mp4"}
    assert (given["CAMERASTOPIC"], given["TOPICNAME"], given["KAFKAPORT"]) == (
        "cameras",
        "videocam",
        "127.0.0.1:9092",
    )
    assert (given["ISDEMO"], demo["ISDEMO"]) == ("False", "True")
    assert "secret" not in repr(parts()["cameras"])


def test_those_that_open_cameras_or_show_their_links_get_the_key() -> None:
    found = parts()

    having = {name for name, part in found.items() if "CAMERASKEYFILE" in variables(part)}
    following = {name for name, part in found.items() if variables(part).get("CAMERASTOPIC") == "cameras"}

    assert having == {"cameras", "producer", "video"}
    assert following == {*having, "consumer"}
    assert variables(found["video"], CAMERASKEYFILE="/mine")["CAMERASKEYFILE"] == "/mine"


def test_a_producer_of_compose_opens_films_and_devices() -> None:
    schemes = variables(parts()["producer"], LINKSCHEMES="rtsp")["LINKSCHEMES"].split(",")

    assert {"rtsp", "http", "file", "device"} <= {*schemes}
    assert "LINKSCHEMES" not in variables(parts()["video"])


def test_the_command_for_cameras_does_not_print_a_key() -> None:
    with_file = command_for_cameras("k:1", {"CAMERASKEYFILE": "/my state/cameras.key"})

    assert with_file.startswith("KAFKAPORT=k:1 CAMERASKEYFILE='/my state/cameras.key' ")
    assert with_file.endswith(" -m producer.cameras list")
    assert "secret" not in command_for_cameras("k:1", {"CAMERASKEY": "secret"})


def test_a_producers_environment() -> None:
    found = variables(parts()["producer"])

    schemes = found.pop("LINKSCHEMES")
    assert schemes
    assert found == {
        "CAMERASTOPIC": "cameras",
        "CAMERASKEYFILE": "/state/cameras.key",
        "TOPICNAME": "videocam",
        "TOPICNAMEMEMBERS": "members",
        "TOPICNAMESTATUS": "status",
        "KAFKAPORT": "127.0.0.1:9092",
        "KAFKAFETCHWAIT": "5ms",
        "FRAMEINTERVAL": "40ms",
        "HEALTHPORT": "127.0.0.1:41002",
        "OWNSERVICES": ":30163,:41001,:41000,:41002,:41003,:41004",
        "LOGFORMAT": "text",
        "PYTHONUNBUFFERED": "1",
    }


def test_a_consumers_environment() -> None:
    found = variables(parts()["consumer"])

    assert found["KAFKAPORTIN"] == found["KAFKAPORTOUT"] == "127.0.0.1:9092"
    assert (found["TOPICNAMEIN"], found["TOPICNAMEOUT"]) == ("videocam", "videodisplay")
    assert json.loads(found["MODELURLS"]) == {
        "imagenet_1": "http://127.0.0.1:41000/v1/models/imagenet:predict"
    }
    labels = json.loads(found["LABELURLS"])["imagenet_1"]
    assert isinstance(json.loads((ROOT / labels).read_text()), list)
    assert "KAFKAPORT" not in found


def test_a_video_servers_environment() -> None:
    found = variables(parts()["video"])

    assert (found["TOPICNAME"], found["DISPLAYPORT"], found["NODEPORT"]) == (
        "videodisplay",
        ":30163",
        ":30163",
    )
    assert found["FRAMEINTERVAL"] == "40ms"
    assert "USERS" not in found


def test_a_users_file_is_only_for_the_video_server_and_overrides_the_variable() -> None:
    found = parts(users="/etc/users.json")

    video = variables(found["video"], USERS="/other.json", users="/another.json")
    assert video["USERS"] == "/etc/users.json"
    assert "users" not in video
    assert all("USERS" not in part.settings for name, part in found.items() if name != "video")


def test_all_other_settings_of_the_video_server_pass_through() -> None:
    decided = {"KAFKAPORT", "DISPLAYPORT", "NODEPORT", "HEALTHPORT"}
    decided |= {"TOPICNAME", "TOPICNAMESTATUS", "TOPICNAMELOGOUTS", "CAMERASTOPIC"}
    names = {field.upper() for field in VideoSettings.model_fields} - decided
    mine = {name: f"my {name}" for name in names}

    found = variables(parts()["video"], **mine)

    assert found.items() >= mine.items()


@pytest.mark.parametrize(
    ("inherited", "address"),
    [
        ({}, "http://127.0.0.1:30163/"),
        ({"TLSCERT": "cert.pem"}, "https://127.0.0.1:30163/"),
        ({"ROOTPATH": "/cameras"}, "http://127.0.0.1:30163/cameras/"),
        ({"ROOTPATH": "/cameras/", "TLSCERT": ""}, "http://127.0.0.1:30163/cameras/"),
        ({"ROOTPATH": '"/cameras"\n', "TLSCERT": " "}, "http://127.0.0.1:30163/cameras/"),
    ],
)
def test_the_address_of_the_page_follows_the_settings(inherited: dict[str, str], address: str) -> None:
    assert page_address(30163, inherited) == address


def test_the_users_variables_pass_through() -> None:
    mine = {"FRAMEINTERVAL": "100ms", "JPEGQUALITY": "50", "LOGFORMAT": "json", "KAFKAFETCHWAIT": "9ms"}

    found = variables(parts()["producer"], **mine, PATH="/bin", GROUPNAME="mine")

    assert found.items() >= mine.items()
    assert found["PATH"] == "/bin"
    assert found["GROUPNAME"] == "mine"
    assert variables(parts()["video"], FRAMEINTERVAL="")["FRAMEINTERVAL"] == "40ms"


def test_variables_that_compose_decides_are_not_inherited() -> None:
    theirs = {
        "VIDEODEVICE": "0",
        "videodevice": "1",
        "TOPICNAME": "x",
        "KAFKAPORT": "x:1",
        "HEALTHPORT": ":9000",
    }

    producer = variables(parts()["producer"], **theirs)
    consumer = variables(parts()["consumer"], **theirs)

    assert {"VIDEODEVICE", "videodevice"}.isdisjoint(producer)
    assert producer["TOPICNAME"] == "videocam"
    assert producer["KAFKAPORT"] == "127.0.0.1:9092"
    assert {"TOPICNAME", "KAFKAPORT"}.isdisjoint(consumer)
    assert consumer["HEALTHPORT"] == "127.0.0.1:41003"


def test_several_producers_share_what_they_import() -> None:
    found = parts((DOOR, YARD), producers=2)

    assert {name for name, part in found.items() if part.preloads} == {"producer 1", "producer 2"}
    for name in found["producer 1"].preloads:
        assert find_spec(name), name
    assert not parts()["producer"].preloads


def test_the_training_service_is_the_last_part() -> None:
    found = parts(training=30164)

    assert list(found) == [*parts(), "training"]
    assert found["training"].command[1:] == ("-m", "training")
    assert found["training"].port not in {part.port for part in parts().values()}
    assert len({part.port for part in found.values() if part.port}) == len(found) - 2


def test_a_training_services_environment() -> None:
    found = variables(parts(training=30164)["training"], ROOTPATH="/cameras", CAMERASTOPIC="mine")

    assert found == {
        "KAFKAPORT": "127.0.0.1:9092",
        "TOPICNAMESTATUS": "status",
        "TOPICNAMELOGOUTS": "logouts",
        "DISPLAYPORT": ":30164",
        "NODEPORT": ":30164",
        "HEALTHPORT": "127.0.0.1:41005",
        "ROOTPATH": "",
        "ENDRUNS": "true",
        "DATAFOLDER": "/state/training",
        "MODELSTORE": "/state/models",
        "KAFKAFETCHWAIT": "5ms",
        "LOGFORMAT": "text",
        "PYTHONUNBUFFERED": "1",
    }


def test_both_servers_read_the_same_users_and_the_user_s_folders_count() -> None:
    found = parts(users="/etc/users.json", training=30164)

    training = variables(found["training"], DATAFOLDER="/srv/training", USERS="/other.json")
    assert training["USERS"] == variables(found["video"])["USERS"] == "/etc/users.json"
    assert (training["DATAFOLDER"], training["MODELSTORE"]) == ("/srv/training", "/state/models")


def test_all_other_settings_of_the_training_service_pass_through() -> None:
    decided = {"KAFKAPORT", "DISPLAYPORT", "NODEPORT", "HEALTHPORT", "ROOTPATH"}
    decided |= {"TOPICNAMESTATUS", "TOPICNAMELOGOUTS", "ENDRUNS"}
    mine = {
        name.upper(): f"my {name}" for name in TrainingSettings.model_fields if name.upper() not in decided
    }

    assert variables(parts(training=30164)["training"], **mine).items() >= mine.items()


def test_one_server_serves_its_own_model_and_those_that_are_trained() -> None:
    file = "/state/models/models.config"
    found = parts(training=30164, trained=file, int8=True)

    assert found["tfserving"].command[-2:] == (
        f"--model_config_file={file}",
        "--model_config_file_poll_wait_seconds=5",
    )
    assert found["tfserving int8"].command[-1] == "--model_base_path=build/models/imagenet_int8"
    own = variables(found["training"], BASEMODELS='{"imagenet": "/mine"}')["BASEMODELS"]
    assert json.loads(own) == {"imagenet": str(ROOT / "build/models/imagenet")}
    assert served_address(found.values()) == f"http://127.0.0.1:{found['tfserving'].port}/v1/models/"


def test_everything_else_has_priority_over_trainings() -> None:
    assert {part.role for part in parts(training=30164).values() if part.nice} == {"training"}


def test_no_camera_leads_to_the_training_service() -> None:
    found = parts(training=30164)
    named = variables(found["producer"])["OWNSERVICES"].split(",")

    assert {":30164", f":{found['training'].port}"} <= set(named)
    assert ":30164" not in variables(parts()["producer"])["OWNSERVICES"].split(",")


def test_its_address_follows_the_settings() -> None:
    assert training_address(30164, {"ROOTPATH": "/cameras"}) == "http://127.0.0.1:30164/"
    assert training_address(30164, {"TLSCERT": "cert.pem"}) == "https://127.0.0.1:30164/"


def test_every_module_in_the_table_exists() -> None:
    for part in parts(training=30164).values():
        path = Path(ROOT, *part.command[2].split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
