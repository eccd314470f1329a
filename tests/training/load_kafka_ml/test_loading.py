import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import Service
from tests.training.load_kafka_ml.kafka_ml import TIME, KafkaMl
from training.load_kafka_ml.__main__ import main
from training.load_kafka_ml.loading import Loading
from training.load_kafka_ml.report import Report
from training.load_kafka_ml.source import SourceError, opened

TIME_SHOWN = "2024-03-01T10:20:30.123456Z"


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[KafkaMl]:
    """The database of a Kafka-ML."""
    found = KafkaMl(tmp_path / "db.sqlite3")
    yield found
    found.close()


def loaded(service: Service, theirs: KafkaMl) -> Report:
    with opened(theirs.path, (theirs.path.parent,)) as source:
        return Loading(source, service.database, service.files).run()


def test_everything_is_loaded_with_its_ids(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()

    report = loaded(service, theirs)

    assert report.lines == []
    assert report.summary() == [
        "models: 1 loaded",
        "configurations: 1 loaded",
        "deployments: 1 loaded",
        "results: 1 loaded",
        "datasources: 1 loaded",
        "inferences: 1 loaded",
    ]
    (model,) = service.get("/models/")
    assert model.items() >= {"id": 7, "name": "digits", "code": "model = 1", "framework": "tf"}.items()
    (configuration,) = service.get("/configurations/")
    assert configuration["ml_models"] == [{"id": 7, "name": "digits"}]
    (deployment,) = service.get("/deployments/")
    assert (deployment["id"], deployment["time"], deployment["batch"]) == (7, TIME_SHOWN, 32)
    assert (deployment["tf_kwargs_fit"], deployment["improvement"]) == ("epochs=5", 0.05)
    (result,) = service.get("/results/")
    assert (result["id"], result["status"], result["state"]) == (7, "finished", "finished")
    assert result["status_changed"] == TIME_SHOWN
    assert result["train_metrics"] == {"loss": [2.0, 1.0]}
    assert result["confusion_matrix"] == [[3, 1], [0, 4]]
    assert service.client.get("/results/model/7").content == b"\x89HDF\r\n\x1a\ntrained"
    assert service.client.get("/results/confusion_matrix/7").status_code == 200
    (datasource,) = service.get("/datasources/")
    assert (datasource["deployment"], datasource["topic"]) == ("7", "digits:0:0:100")
    (inference,) = service.get("/inferences/")
    assert (inference["status"], inference["model_result"], inference["token"]) == ("stopped", 7, None)
    assert service.get("/results/inference/7")["input_format"] == "RAW"
    assert service.model("next") == 8


def test_nothing_is_loaded_twice(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    loaded(service, theirs)

    report = loaded(service, theirs)

    assert all(each.endswith(": 1 there already") for each in report.summary())
    for name in ("models", "configurations", "deployments", "results", "datasources", "inferences"):
        assert len(service.get(f"/{name}/")) == 1


def test_rows_get_new_ids_where_theirs_are_taken(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    for number in range(9):
        service.deployment(service.configuration(service.model(f"m{number}"), name=f"c{number}"))

    assert loaded(service, theirs).lines == []

    (model,) = [each for each in service.get("/models/") if each["name"] == "digits"]
    (result,) = [each for each in service.get("/results/") if each["status"] == "finished"]
    assert (model["id"], result["deployment"]["id"], result["model"]["id"]) == (10, 10, 10)
    assert service.get("/datasources/")[0]["deployment"] == "10"
    assert service.get("/inferences/")[0]["model_result"] == result["id"]


def test_layers_keep_their_fathers(service: Service, theirs: KafkaMl) -> None:
    for number, father in ((1, 2), (2, None)):
        theirs.add(
            "mlmodel",
            id=number,
            name=f"m{number}",
            description="",
            imports="",
            code="model = 1",
            distributed=1,
            father_id=father,
            framework="tf",
        )

    loaded(service, theirs)
    loaded(service, theirs)

    assert [each["father"] for each in service.get("/models/")] == [{"id": 2, "name": "m2"}, None]


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        ("mlmodel", {"name": "a" * 31}, "model 7: skipped: name='" + "a" * 31),
        ("mlmodel", {"name": 5}, "model 7: skipped: name='5'"),
        ("mlmodel", {"name": ""}, "model 7: skipped: name=''"),
        ("mlmodel", {"framework": "jax"}, "model 7: skipped: framework='jax': expected 'tf' or 'pth'"),
        ("mlmodel", {"code": ""}, "model 7: skipped: code=''"),
        ("deployment", {"batch": 0}, "deployment 7: skipped: batch='0'"),
        ("trainingresult", {"train_metrics": "[1]"}, "result 7: skipped: train_metrics="),
        ("datasource", {"test_rate": 2}, "datasource 7: skipped: test_rate='2'"),
        ("inference", {"input_topic": ""}, "inference 7: skipped: input_topic=''"),
    ],
)
def test_rows_that_cannot_be_are_skipped(
    table: str, values: dict[str, Any], reason: str, service: Service, theirs: KafkaMl
) -> None:
    theirs.fill()
    theirs.set(table, 7, **values)

    report = loaded(service, theirs)

    assert report.lines[0].startswith(reason)


def test_what_belongs_to_a_row_that_was_skipped_is_skipped(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    theirs.set("mlmodel", 7, code="")

    report = loaded(service, theirs)

    assert report.lines[1:] == [
        "configuration 7: skipped: its model 7 was not loaded",
        "deployment 7: skipped: its configuration 7 was not loaded",
        "result 7: skipped: its deployment 7 was not loaded",
        "inference 7: skipped: its result 7 was not loaded",
    ]
    assert service.get("/datasources/")[0]["deployment"] == "7"


def test_names_that_are_taken_by_others(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    service.model("digits", code="model = 2")
    service.configuration(service.model("other"), name="all")

    assert loaded(service, theirs).lines[0] == (
        "model 7: skipped: another model is called digits: rename one of them"
    )
    theirs.set("mlmodel", 7, name="mine")
    assert loaded(service, theirs).lines[0] == (
        "configuration 7: skipped: another configuration is called all: rename one of them"
    )


def test_names_that_are_not_allowed_are_changed(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    theirs.set("mlmodel", 7, name="a/b")
    theirs.set("configuration", 7, name="..")
    names = {8: "a<b", 9: "a-b-2", 10: 'a"' + "b" * 28, 11: 'a"-' + "b" * 27, 12: "a&" + "b" * 28}
    for number, name in names.items():
        theirs.add(
            "mlmodel", id=number, name=name, description="", imports="", code="model = 1", distributed=0
        )
    service.model("a-b", code="model = 2")

    report = loaded(service, theirs)

    assert report.lines == [
        "model 7: loaded as 'a-b-3': its name 'a/b' is not allowed",
        "model 8: loaded as 'a-b-4': its name 'a<b' is not allowed",
        f"model 10: loaded as 'a-{'b' * 28}': its name 'a\"{'b' * 28}' is not allowed",
        f"model 11: loaded as 'a--{'b' * 27}': its name 'a\"-{'b' * 27}' is not allowed",
        f"model 12: loaded as 'a-{'b' * 26}-2': its name 'a&{'b' * 28}' is not allowed",
        "configuration 7: loaded as '--': its name '..' is not allowed",
    ]
    expected = ["a-b", "a-b-3", "a-b-4", "a-b-2", *[f"a-{'b' * 28}", f"a--{'b' * 27}", f"a-{'b' * 26}-2"]]
    assert sorted(each["name"] for each in service.get("/models/")) == sorted(expected)
    (configuration,) = service.get("/configurations/")
    assert configuration["name"] == "--"
    assert [each["name"] for each in configuration["ml_models"]] == ["a-b-3"]
    (result,) = service.get("/results/")
    assert (result["id"], result["status"]) == (7, "finished")
    assert len(service.get("/inferences/")) == 1

    again = loaded(service, theirs)

    assert again.lines == []
    assert all(each.endswith(" there already") for each in again.summary())


def test_results_without_a_trained_model_are_stopped(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    theirs.set("trainingresult", 7, trained_model="trained_models/none.h5")
    row = {"status_changed": TIME, "deployment_id": 7, "model_id": 7}
    theirs.add("trainingresult", id=8, status="deployed", **{**row, "status_changed": "2024-03-02 10:00:00"})
    (theirs.path.parent / "trained_models/text.h5").write_text("text")
    late = {**row, "status_changed": "2024-03-03 10:00:00"}
    theirs.add("trainingresult", id=9, status="finished", trained_model="trained_models/text.h5", **late)

    report = loaded(service, theirs)

    assert report.lines == [
        "result 7: loaded as stopped: its trained model was not found: trained_models/none.h5; use --files",
        "result 8: loaded as stopped: its job ran in Kafka-ML, and had not finished",
        "result 9: loaded as stopped: trained_model: expected a Keras file (.h5 or .keras), found something"
        " else",
    ]
    assert {(each["status"], each["state"]) for each in service.get("/results/")} == {("stopped", "failed")}


@pytest.mark.parametrize("name", ["../outside.h5", "/etc/passwd", "", None, "a\0b"])
def test_files_are_those_in_the_folder(name: str | None, theirs: KafkaMl) -> None:
    (theirs.path.parent.parent / "outside.h5").write_bytes(b"")

    with opened(theirs.path, (theirs.path.parent,)) as source:
        assert source.file(name) is None


def test_old_versions_lack_columns(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    for column in ("incremental", "improvement", "optimizer", "learning_rate"):
        theirs._connection.execute(f"ALTER TABLE automl_deployment DROP COLUMN {column}")

    assert loaded(service, theirs).lines == []


def test_what_is_not_a_kafka_ml(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, but long enough to look like one" * 100)
    (tmp_path / "empty").write_bytes(b"")

    for name, reason in (
        ("none", "none: No such file or directory: expected a file"),
        ("", "this is a folder: expected a file"),
        ("/dev/null", "/dev/null: this is neither a file nor a folder: expected a file"),
        ("a\0b", "null byte"),
        ("text", "it cannot be read as SQLite"),
        ("empty", "no table automl_mlmodel"),
    ):
        with pytest.raises(SourceError, match=reason), opened(tmp_path / name, ()):
            raise AssertionError


def test_the_command(
    theirs: KafkaMl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs.fill()
    theirs.set("inference", 7, input_topic="")
    monkeypatch.setenv("DATAFOLDER", str(tmp_path / "ours"))
    monkeypatch.delenv("DATABASEURL", raising=False)
    monkeypatch.delenv("KAFKAPORT", raising=False)

    assert main([str(theirs.path), "--files", str(tmp_path)]) == 0

    first, *counts = capsys.readouterr().out.splitlines()
    assert first.startswith("inference 7: skipped: input_topic=''")
    assert counts[0] == "models: 1 loaded"
    assert counts[-1] == "inferences: 1 skipped"
    assert (tmp_path / "ours/results/7/model").exists()

    assert main([str(tmp_path / "none")]) == 2
    assert "No such file or directory" in capsys.readouterr().err
    for files, reason in (("none", "No such file or directory"), ("db.sqlite3", "this is a file")):
        assert main([str(theirs.path), "--files", str(tmp_path / files)]) == 2
        expected = f"load_kafka_ml: {tmp_path / files}: {reason}: expected the folder with the trained models"
        assert capsys.readouterr().err.strip() == expected
    monkeypatch.setenv("DATABASEURL", "mysql://somewhere")
    assert main([str(theirs.path)]) == 2
    assert "DATABASEURL" in capsys.readouterr().err


def test_metrics_with_nan(service: Service, theirs: KafkaMl) -> None:
    theirs.fill()
    theirs.set("trainingresult", 7, train_metrics='{"loss": [NaN, 1.0]}')

    loaded(service, theirs)

    assert json.loads(service.client.get("/results/").content)[0]["train_metrics"] == {"loss": [None, 1.0]}
