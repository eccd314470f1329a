"""Every document is valid under Kubernetes' schemas, in every field."""

import copy
import os
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.k8s import keda
from tests.k8s.manifests import (
    FILES,
    LEDGERS,
    OVERLAYS,
    Document,
    Documents,
    build,
    name_of,
    parse,
    read,
    system,
)
from tests.parts import ROOT

VERSIONS = ("1.33", kubernetes_validate.latest_version())
FOLDERS = ("k8s", *LEDGERS.values(), *(f"k8s/overlays/{name}" for name in OVERLAYS))


def faults(documents: Documents, version: str) -> list[str]:
    """Return a line for each document that Kubernetes would refuse."""
    lines = []
    for document in documents:
        if document["kind"] == keda.KIND:
            lines += [f"{name_of(document)}: {fault}" for fault in keda.faults(document)]
            continue
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            lines.append(f"{name_of(document)}: {'.'.join(map(str, error.path))}: {error.message}")
    return lines


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", [*FILES, "k8s/namespace.yml"])
def test_each_file_is_valid(path: str, version: str) -> None:
    documents = read(path)

    assert documents
    assert faults(documents, version) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_what_kustomize_builds_is_valid(folder: str, version: str) -> None:
    documents = build(folder)

    assert documents
    assert faults(documents, version) == []


@pytest.mark.parametrize("base", ["int8", "kraft", "hardened-external", "three-brokers"])
def test_parts_can_be_added_to_an_overlay(base: str, tmp_path: Path) -> None:
    section = (ROOT / "k8s/README.md").read_text().partition("\n## Overlays\n")[2]
    mine = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    assert mine["resources"] == ["../int8"]
    mine["resources"] = [f"../{base}"]
    for field in ("resources", "components"):
        paths = (ROOT / "k8s/overlays/mine" / each for each in mine[field])
        mine[field] = [os.path.relpath(each, tmp_path.resolve()) for each in paths]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(mine))

    documents = build(str(tmp_path))

    assert faults(documents, VERSIONS[0]) == []
    added = {name_of(each) for each in documents} - {name_of(each) for each in system(base)}
    assert {"ScaledObject consumer", "StatefulSet prometheus"} <= added


def test_the_index_includes_each_subsystem_unchanged() -> None:
    indexed = sorted(build("k8s"), key=name_of)

    assert indexed == sorted(system("base"), key=name_of)


def test_no_two_documents_have_the_same_name(documents: Documents) -> None:
    names = [name_of(document) for document in documents]

    assert sorted(set(names)) == sorted(names)


def change(document: Document, path: str, value: Any) -> Document:
    """Return a copy of a document with a field set to a value."""
    changed = copy.deepcopy(document)
    inner: Any = changed
    *names, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for name in names:
        inner = inner[name]
    inner[last] = value
    return changed


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.replica", 1),
        ("spec.template.spec.containers.0.imagepullPolicy", "Always"),
        ("spec.template.spec.containers.0.readinessProbe.httpGet.prot", "health"),
        ("spec.template.spec.containers.0.env.0.value", 42),
        ("spec.replicas", "one"),
        ("spec.selector", "app=consumer"),
    ],
)
def test_a_misspelt_field_or_a_wrong_value_is_refused(path: str, value: Any, version: str) -> None:
    consumer = next(
        document for document in read("consumer/deployment.yml") if "replicas" in document["spec"]
    )

    wrong = change(consumer, path, value)

    assert faults((consumer,), version) == []
    assert len(faults((wrong,), version)) == 1


def test_a_field_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"replicas more than once.*line 2"):
        parse("kind: Deployment\nspec: {replicas: 1, replicas: 2}\n")
