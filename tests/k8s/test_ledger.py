"""The Job that compares what the services count keeps to the rules, and reads what the services write."""

import json
import re
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from pipeline.ledger.settings import LedgerSettings
from pipeline.service.settings import load
from tests.k8s import environment, test_objects, test_rules
from tests.k8s.manifests import (
    LEDGERS,
    Document,
    Documents,
    build,
    ledger_commands,
    pod_of,
    selects,
    system,
    workload,
)
from tests.k8s.test_settings import variables

SYSTEM_OF = {"plain": "base", "hardened": "hardened"}


@pytest.fixture(params=LEDGERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each variant of the Job."""
    return str(request.param)


@pytest.fixture
def job(kind: str) -> Document:
    """The Job of that variant."""
    return workload(build(LEDGERS[kind]), "ledger")


def given(job: Document) -> environment.Variables:
    """Return the variables of the Job's container."""
    (container,) = pod_of(job)["containers"]
    return environment.kubernetes(job, container, (job,))


@pytest.mark.parametrize(
    "rule",
    [
        test_rules.test_api_versions_are_current,
        test_rules.test_images_are_pulled_once_and_named_by_a_tag,
        test_rules.test_pods_get_neither_service_variables_nor_a_token,
        test_rules.test_pods_run_as_an_unprivileged_user,
        test_rules.test_pods_use_the_runtimes_seccomp_profile,
        test_rules.test_pods_share_nothing_with_their_node,
        test_rules.test_containers_cannot_gain_privileges_or_change_their_files,
        test_rules.test_containers_have_requests_and_limits,
        test_objects.test_there_are_no_passwords_in_plain_text,
        test_objects.test_everything_can_be_found_by_its_label,
    ],
)
def test_its_pod_keeps_to_the_rules_for_every_pod(kind: str, rule: Callable[[Documents], None]) -> None:
    rule(build(LEDGERS[kind]))


def test_it_runs_once_from_an_image_that_has_the_command(job: Document, documents: Documents) -> None:
    pod = pod_of(job)
    (container,) = pod["containers"]
    (video,) = pod_of(workload(documents, "video"))["containers"]

    assert (job["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert container["command"] == ["python", "-m", "pipeline.ledger"]
    assert container["image"] == video["image"]
    assert container["envFrom"] == video["envFrom"]


def test_it_reads_the_services_kafka_with_their_login(
    kind: str, job: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = variables("video", system(SYSTEM_OF[kind]))
    for name in ("KAFKAPORT", "KAFKACONFIG", "TOPICNAMESTATUS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given(job).items():
        monkeypatch.setenv(name, value)

    taken = load(LedgerSettings)

    assert taken.kafkaport == video["KAFKAPORT"]
    assert taken.kafkaconfig == json.loads(video.get("KAFKACONFIG", "{}"))
    Producer(taken.kafkaconfig)  # raises if librdkafka does not accept a name or a value


def test_no_service_and_no_other_workload_has_its_pods(job: Document, documents: Documents) -> None:
    labels = job["spec"]["template"]["metadata"]["labels"]

    for document in documents:
        selector = document.get("spec", {}).get("selector")
        if document["kind"] != "NetworkPolicy" and selector:
            assert not selects(selector.get("matchLabels", selector), labels)


def test_the_readme_has_the_commands_for_each_variant(kind: str) -> None:
    commands = ledger_commands()

    assert any(re.search(rf"-k {LEDGERS[kind]}\b(?!/)", line) for line in commands)
    assert all(line.startswith("kubectl ") for line in commands)
