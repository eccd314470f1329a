"""The manifests and the Compose files give our services settings that exist and are valid."""

import re

import pytest
from confluent_kafka import Producer

from consumer.settings import ConsumerSettings
from pipeline.service.settings import Settings, load
from producer.settings import ProducerSettings
from tests.k8s import environment
from tests.k8s.dockerfiles import lines
from tests.k8s.environment import Variables
from tests.k8s.manifests import (
    Document,
    Documents,
    labels_of,
    of_kind,
    pod_of,
    ports_of,
    read,
    system,
    texts,
    workload,
    workloads,
)
from tests.parts import ROOT
from training.settings import TrainingSettings
from video.settings import VideoSettings

KINDS: dict[str, type[Settings]] = {
    "producer": ProducerSettings,
    "consumer": ConsumerSettings,
    "video": VideoSettings,
    "training": TrainingSettings,
}
FRAMES = ("producer", "consumer", "video")
"""The services that frames pass through."""


def ours(documents: Documents) -> list[tuple[Document, Document]]:
    """Return the workloads and containers of our services."""
    found = [each for each in workloads(documents) if labels_of(each)["app"] in KINDS]
    return [(each, container) for each in found for container in pod_of(each)["containers"]]


def variables(name: str, documents: Documents) -> Variables:
    """Return the variables of a workload's only container."""
    found = workload(documents, name)
    (container,) = pod_of(found)["containers"]
    return environment.kubernetes(found, container, documents)


def settings(app: str, given: Variables) -> Settings:
    """Return a service's settings, read from an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for field in KINDS[app].model_fields:
            patch.delenv(field.upper(), raising=False)
        for name, value in given.items():
            patch.setenv(name, value)
        return load(KINDS[app])


def known(app: str) -> set[str]:
    """Return the names of a service's settings."""
    return {field.upper() for field in KINDS[app].model_fields}


def test_the_manifests_name_only_settings(documents: Documents) -> None:
    assert {labels_of(each)["app"] for each, _ in ours(documents)} == KINDS.keys()
    for each, container in ours(documents):
        names = [variable["name"] for variable in container["env"]]
        used = environment.names_in(texts(container["env"]))

        assert len(set(names)) == len(names)
        assert set(names) - known(labels_of(each)["app"]) == used


@pytest.mark.parametrize("app", KINDS)
def test_a_config_map_or_a_secret_can_set_what_the_manifest_does_not(app: str, documents: Documents) -> None:
    optional = {"name": f"{app}-settings", "optional": True}
    found = [container for each, container in ours(documents) if labels_of(each)["app"] == app]

    assert found
    for container in found:
        assert container["envFrom"] == [{"configMapRef": optional}, {"secretRef": optional}]


@pytest.mark.parametrize("app", KINDS)
def test_the_compose_files_name_only_settings(app: str) -> None:
    assert environment.compose(app, app).keys() <= known(app)


def test_the_services_accept_the_manifests_settings(documents: Documents) -> None:
    for each, container in ours(documents):
        given = environment.kubernetes(each, container, documents)
        taken = settings(labels_of(each)["app"], given)

        assert environment.names_in(given.values()) == set()
        Producer(taken.kafkaconfig)  # raises if librdkafka does not accept a name or a value


@pytest.mark.parametrize("app", KINDS)
def test_the_services_accept_composes_settings(app: str) -> None:
    settings(app, environment.compose(app, app))


@pytest.mark.parametrize("app", KINDS)
@pytest.mark.parametrize("form", ['"{}"', "'{}'", "  {}\n", '"{}" \r\n'])
def test_quotes_and_line_breaks_around_any_of_them_do_not_matter(app: str, form: str) -> None:
    given = environment.compose(app, app)

    quoted = {name: form.format(value) for name, value in given.items()}

    assert settings(app, quoted) == settings(app, given)


def test_a_wrong_setting_is_found() -> None:
    with pytest.raises(Exception, match="FRAMEINTERVAL='soon'"):
        settings("video", {**environment.compose("video", "video"), "FRAMEINTERVAL": "soon"})


def chain(producer: Variables, consumer: Variables, video: Variables) -> None:
    """Check that each service reads what the one before it writes, at its own Kafka port."""
    assert producer["TOPICNAME"] == consumer["TOPICNAMEIN"]
    assert consumer["TOPICNAMEOUT"] == video["TOPICNAME"]
    assert producer["TOPICNAME"] != video["TOPICNAME"]
    assert producer["KAFKAPORT"] == "kf1-service:19091"
    assert (consumer["KAFKAPORTIN"], consumer["KAFKAPORTOUT"]) == ("kf1-service:19092", "kf1-service:19093")
    assert video["KAFKAPORT"] == "kf1-service:19094"


def test_frames_find_their_way_on_kubernetes(documents: Documents) -> None:
    for each, _ in ours(documents):
        if labels_of(each)["app"] == "producer":
            producer = variables(each["metadata"]["name"], documents)
            chain(producer, variables("consumer", documents), variables("video", documents))


def test_frames_find_their_way_with_compose() -> None:
    chain(*(environment.compose(app, app) for app in FRAMES))


def test_all_services_follow_the_same_topic_of_cameras(documents: Documents) -> None:
    topics = {variables(app, documents)["CAMERASTOPIC"] for app in FRAMES}
    with_compose = {environment.compose(app, app)["CAMERASTOPIC"] for app in FRAMES}

    assert topics == with_compose == {"cameras"}


def test_the_health_port_is_the_one_that_the_probes_use(documents: Documents) -> None:
    for each, container in ours(documents):
        taken = settings(labels_of(each)["app"], environment.kubernetes(each, container, documents))

        assert taken.healthport.port == ports_of(each)["health"]


def test_the_page_is_at_the_address_it_announces(documents: Documents) -> None:
    taken = settings("video", variables("video", documents))
    services = {
        each["metadata"]["name"]: each["spec"]["ports"]
        for each in of_kind(documents, "Service")
        if each["spec"].get("type") == "NodePort" and each["spec"]["selector"] == {"app": "video"}
    }

    assert isinstance(taken, VideoSettings)
    assert taken.displayport.port == ports_of(workload(documents, "video"))["http"]
    assert {name: [port["nodePort"] for port in ports] for name, ports in services.items()} == {
        "video-service": [taken.browser_port],
        "video-sockets-service": [31611],
    }


def test_elastic_inferences_port_for_streams_leads_to_the_page_s(documents: Documents) -> None:
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(documents, "Service")}
    (page,), (sockets,) = (services[name]["ports"] for name in ("video-service", "video-sockets-service"))

    assert {**sockets, "nodePort": page["nodePort"]} == page


def test_with_compose_the_page_is_at_the_address_it_announces() -> None:
    taken = settings("video", environment.compose("video", "video"))
    (file,) = read("video/docker-compose.yml")

    assert isinstance(taken, VideoSettings)
    (port,) = file["services"]["video"]["ports"]
    assert port == f"${{VIDEOPORT:-{taken.browser_port}}}:{taken.displayport.port}"


def test_with_compose_no_camera_leads_to_any_port_of_ours() -> None:
    given = environment.compose("compose", "producer")
    kafka = environment.compose("producer", "producer")["KAFKAPORT"].partition(":")[2]
    alone = {"zookeeper:2888", "zookeeper:3888"}  # closed where there is one ZooKeeper

    ports = {
        f"{each['metadata']['name']}:{port}"
        for each in workloads(system("monitoring"))
        for port in ports_of(each).values()
    }
    assert set(given["OWNSERVICES"].split(",")) == ports - {f"kafka:{kafka}"} - alone


# The image's port is fixed, VIDEOPORT is the other, and a default in a Compose file cannot contain braces.
# MODELSTORE is where the model server looks.
FIXED = {"DISPLAYPORT", "NODEPORT", "MODELURLS", "LABELURLS", "BASEMODELS", "MODELSTORE"}
# One variable would name the topic of two services, or publish both at one path.
RENAMED = {
    ("producer", "TOPICNAME"): "TOPICNAMEIN",
    ("video", "TOPICNAME"): "TOPICNAMEOUT",
    ("training", "ROOTPATH"): "TRAININGROOTPATH",
}


def rows(text: str) -> list[list[str]]:
    """Return the settings that each row of a README's tables is about."""
    return [re.findall(r"\w+", row) for row in re.findall(r"^\| (`[A-Z`, ]+`) \|", text, re.MULTILINE)]


@pytest.mark.parametrize("app", KINDS)
def test_compose_passes_every_documented_setting(app: str) -> None:
    documented = {name for row in rows((ROOT / app / "README.md").read_text()) for name in row}
    (file,) = read(f"{app}/docker-compose.yml")
    given = file["services"][app]["environment"]

    assert documented == known(app)
    assert given.keys() == documented
    assert [name for name, value in given.items() if f"${{{name}:-" not in value] == [
        name for name in given if name in FIXED
    ]


@pytest.mark.parametrize("app", KINDS)
def test_the_whole_systems_compose_file_passes_every_setting_too(app: str) -> None:
    (whole,) = read("compose/docker-compose.yml")
    service = whole["services"][app]
    changed = {name: variable for (owner, name), variable in RENAMED.items() if owner == app}

    assert service["extends"] == {"file": f"../{app}/docker-compose.yml", "service": app}
    known_only_here = {"OWNSERVICES"} if app == "producer" else set()
    assert service.get("environment", {}).keys() == changed.keys() | known_only_here
    for name in known_only_here:
        assert service["environment"][name].startswith(f"${{{name}:-")
    for name, variable in changed.items():
        assert service["environment"][name] == f"${{{variable}:-{environment.compose(app, app)[name]}}}"


def test_what_the_user_can_set_with_compose_is_documented() -> None:
    section = (ROOT / "compose/README.md").read_text().partition("## In containers")[2]
    documented = {name for row in rows(section) for name in row}
    texts = [(ROOT / folder / "docker-compose.yml").read_text() for folder in (*KINDS, "compose")]
    taken = {name for text in texts for name in re.findall(r"\$\{(\w+):-", text)}

    assert documented == taken | {"MODELURLS", "LABELURLS"}


def test_with_compose_the_link_has_priority_over_the_clip() -> None:
    given = environment.compose("producer", "producer")

    taken = settings("producer", {**given, "VIDEOLINK": "rtsp://camera/"})

    assert isinstance(taken, ProducerSettings)
    assert taken.source == "rtsp://camera/"


def test_with_compose_a_camera_on_the_host_and_a_film_on_its_disk_can_be_read() -> None:
    (file,) = read("producer/docker-compose.yml")
    (whole,) = read("compose/docker-compose.yml")
    service = file["services"]["producer"]
    readme = (ROOT / "compose/README.md").read_text()

    assert service["extra_hosts"] == ["host.docker.internal:host-gateway"]
    assert "VIDEOLINK=http://host.docker.internal:" in readme
    mount, *_ = service["volumes"]
    volume = re.fullmatch(r"\$\{FILMS:-([\w-]+)\}:(/\w+):ro", mount)
    assert volume
    assert volume[1] in file["volumes"].keys() & whole["volumes"].keys()
    assert re.search(rf"FILMS=/\S+ VIDEOLINK='?{volume[2]}/", readme)


FILES = "/etc/streamlens"


def test_users_and_certificates_are_mounted_if_they_exist(documents: Documents) -> None:
    pod = pod_of(workload(documents, "video"))
    (container,) = pod["containers"]
    (volume,) = (each for each in pod["volumes"] if each["name"] == "files")

    assert {"name": volume["name"], "mountPath": FILES, "readOnly": True} in container["volumeMounts"]
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    assert sources == [{"name": name, "optional": True} for name in ("video-users", "video-tls")]


def test_with_compose_the_files_are_in_a_volume_that_the_images_user_owns() -> None:
    (file,) = read("video/docker-compose.yml")
    (whole,) = read("compose/docker-compose.yml")

    mount, *_ = file["services"]["video"]["volumes"]
    volume = re.fullmatch(rf"\$\{{VIDEOFILES:-([\w-]+)\}}:{FILES}", mount)
    assert volume
    assert volume[1] in file["volumes"].keys() & whole["volumes"].keys()
    (user,) = (line.value for line in lines("video") if line.name == "USER")
    owner, group = user.split(":")
    made = f"install -d -o {owner} -g {group} -m 700 {FILES}"
    assert any(made in line.value for line in lines("video") if line.name == "RUN")


@pytest.mark.parametrize("app", KINDS)
def test_what_a_crash_leaves_behind_outlives_the_container(app: str) -> None:
    (file,) = read(f"{app}/docker-compose.yml")
    (whole,) = read("compose/docker-compose.yml")
    pod = pod_of(workload(system("base"), app))

    assert f"{app}-notes:/tmp" in file["services"][app]["volumes"]
    assert f"{app}-notes" in file["volumes"].keys() & whole["volumes"].keys()
    (volume,) = (each for each in pod["volumes"] if each["name"] == "tmp")
    assert volume.keys() == {"name", "emptyDir"}
    assert {"name": volume["name"], "mountPath": "/tmp"} in pod["containers"][0]["volumeMounts"]


def test_addresses_in_compose_are_names_in_its_network() -> None:
    names = {alias for _, _, alias in environment.aliases()}
    given = [environment.compose(app, app) for app in KINDS]
    given += [environment.compose("zookeeper", name) for name in ("zookeeper", "kafka")]

    found = {
        host for each in given for text in each.values() for host in re.findall(r"[a-z0-9-]+-service", text)
    }
    assert found == names
