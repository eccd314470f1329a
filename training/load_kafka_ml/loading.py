"""Puts the rows of a Kafka-ML into this service's database. Running it again loads nothing twice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from training.api.answers import line
from training.api.configurations import ConfigurationFields
from training.api.deployment_fields import DeploymentFields
from training.api.forms import Metrics, value
from training.api.inferences import InferenceFields
from training.api.models import ModelFields
from training.control.datasources import DatasourceFields, store
from training.database.engine import Database
from training.database.moment import now
from training.database.tables import Configuration, Datasource, Deployment, Inference, Model, Result
from training.files import FileError, Files
from training.load_kafka_ml.names import Names
from training.load_kafka_ml.report import Report, SkipError
from training.load_kafka_ml.source import Row, Source

_CHUNK: Final = 2**20  # bytes
_ELSEWHERE: Final = "its job ran in Kafka-ML, and had not finished"
_STOPPED: Final = "it was loaded from Kafka-ML: start a new one"
_MAY_BE_EMPTY: Final = (
    "output_upper",
    "external_host",
    "token",
    "input_kafka_broker",
    "output_kafka_broker",
    "upper_kafka_broker",
)
_METRICS: Final = ("train_metrics", "val_metrics", "test_metrics", "training_time", "confusion_matrix")


class Loading:
    """Loads all rows, each in its own transaction. Rows keep their ids where these are free."""

    def __init__(self, source: Source, database: Database, files: Files) -> None:
        self.report = Report()
        self._source = source
        self._database = database
        self._files = files
        self._ids: dict[type, dict[int, int]] = {
            kind: {} for kind in (Model, Configuration, Deployment, Result)
        }
        self._models = Names(Model, (row.get("name") for row in source.rows("mlmodel")))
        self._configurations = Names(Configuration, (row.get("name") for row in source.rows("configuration")))

    def run(self) -> Report:
        """Load everything; return what became of it."""
        self._each("model", "mlmodel", self._model)
        self._fathers()
        self._each("configuration", "configuration", self._configuration)
        self._each("deployment", "deployment", self._deployment)
        self._each("result", "trainingresult", self._result)
        self._each("datasource", "datasource", self._datasource)
        self._each("inference", "inference", self._inference)
        return self.report

    def _each(self, kind: str, table: str, load: Callable[[Session, Row], bool]) -> None:
        for row in self._source.rows(table):
            try:
                with self._database.writing() as session:
                    is_new = load(session, row)
            except ValidationError as error:
                why = "; ".join(line(dict(each)) for each in error.errors())
                self.report.skipped(kind, row["id"], why)
            except SkipError as error:
                self.report.skipped(kind, row["id"], error)
            else:
                (self.report.loaded if is_new else self.report.known)(kind)

    def _model(self, session: Session, row: Row) -> bool:
        program = row.get("code"), row.get("imports") or ""
        name, known = self._models.find(
            session, row.get("name"), lambda known: (known.code, known.imports) == program
        )
        given = {**_given(row, framework="tf"), "name": name}
        fields = ModelFields.model_validate(given).model_dump(exclude={"father"})
        if known is not None:
            self._ids[Model][row["id"]] = known.id
            return False
        self._add(session, row, Model(**fields))
        self._note_name("model", row, name)
        return True

    def _fathers(self) -> None:
        """Link the layers of distributed models, whose fathers may come later."""
        for row in self._source.rows("mlmodel"):
            model = self._ids[Model].get(row["id"])
            father = self._ids[Model].get(row.get("father_id") or 0)
            if model is None or father is None:
                continue
            with self._database.writing() as session:
                found = session.get_one(Model, model)
                is_taken = session.scalars(select(Model).where(Model.father_id == father)).first()
                if found.father_id is None and found.distributed and is_taken is None:
                    found.father_id = father

    def _configuration(self, session: Session, row: Row) -> bool:
        chosen = [
            link["mlmodel_id"]
            for link in self._source.rows("configuration_ml_models")
            if link["configuration_id"] == row["id"]
        ]
        models = [self._id(Model, each, "model") for each in chosen]
        name, known = self._configurations.find(
            session, row.get("name"), lambda known: {each.id for each in known.ml_models} == {*models}
        )
        fields = ConfigurationFields.model_validate({**_given(row), "name": name, "ml_models": models})
        if known is not None:
            self._ids[Configuration][row["id"]] = known.id
            return False
        new = Configuration(name=fields.name, description=fields.description, time=row["time"])
        new.ml_models = [session.get_one(Model, each) for each in models]
        self._add(session, row, new)
        self._note_name("configuration", row, name)
        return True

    def _deployment(self, session: Session, row: Row) -> bool:
        configuration = self._id(Configuration, row["configuration_id"], "configuration")
        fields = DeploymentFields.model_validate({**_given(row), "configuration": configuration})
        same = (Deployment.configuration_id == configuration, Deployment.time == row["time"])
        if known := session.scalars(select(Deployment).where(*same)).first():
            self._ids[Deployment][row["id"]] = known.id
            return False
        columns = fields.model_dump(exclude={"configuration", "datasource"})
        self._add(session, row, Deployment(configuration_id=configuration, time=row["time"], **columns))
        return True

    def _result(self, session: Session, row: Row) -> bool:
        deployment = self._id(Deployment, row["deployment_id"], "deployment")
        model = self._id(Model, row["model_id"], "model")
        # An indefinite training has several results of one model.
        same = (
            Result.deployment_id == deployment,
            Result.model_id == model,
            Result.status_changed == row["status_changed"],
        )
        if known := session.scalars(select(Result).where(*same)).first():
            self._ids[Result][row["id"]] = known.id
            return False
        metrics = Metrics.model_validate({name: row.get(name) for name in _METRICS})
        new = Result(
            deployment_id=deployment,
            model_id=model,
            status_changed=row["status_changed"],
            **{name: value(metrics, name) for name in _METRICS},
        )
        self._add(session, row, new)
        why = self._keep_files(new.id, session.get_one(Model, model).framework, row)
        if why is None:
            new.status, new.state = "finished", "finished"
        else:
            new.status, new.state, new.reason = "stopped", "failed", why
            self.report.note("result", row["id"], f"loaded as stopped: {why}")
        return True

    def _keep_files(self, result: int, framework: str, row: Row) -> str | None:
        """Copy the files of a result; return why it has no trained model."""
        if row["status"] != "finished":
            return _ELSEWHERE
        path = self._source.file(row.get("trained_model"))
        if path is None:
            return f"its trained model was not found: {row.get('trained_model') or 'no file'}; use --files"
        try:
            self._files.put_model(result, framework, _chunks(path))
            if picture := self._source.file(row.get("confusion_mat_img")):
                self._files.put_picture(result, _chunks(picture))
        except (FileError, OSError) as error:
            return str(error)
        return None

    def _datasource(self, session: Session, row: Row) -> bool:
        given = _given(row)
        if (number := str(row.get("deployment"))).isdecimal():
            given["deployment"] = str(self._ids[Deployment].get(int(number), number))
        before = session.scalars(select(Datasource.id).order_by(Datasource.id.desc())).first() or 0
        return store(session, DatasourceFields.model_validate(given)).id > before

    def _inference(self, session: Session, row: Row) -> bool:
        result = row.get("model_result_id")
        if result is not None:
            result = self._id(Result, result, "result")
        given = _given(row, **dict.fromkeys(_MAY_BE_EMPTY))
        fields = InferenceFields.model_validate({**given, "model_result": result})
        same = (Inference.input_topic == fields.input_topic, Inference.time == row["time"])
        if session.scalars(select(Inference).where(*same)).first() is not None:
            return False
        new = Inference(**fields.columns(), time=row["time"], status="stopped")
        new.status_changed, new.reason = now(), _STOPPED
        self._add(session, row, new)
        return True

    def _note_name(self, kind: str, row: Row, name: str) -> None:
        if name != row["name"]:
            self.report.note(kind, row["id"], f"loaded as {name!r}: its name {row['name']!r} is not allowed")

    def _id(self, kind: type, number: Any, name: str) -> int:
        if number not in self._ids[kind]:
            raise SkipError(f"its {name} {number} was not loaded")
        return self._ids[kind][number]

    def _add(self, session: Session, row: Row, new: Any) -> None:
        kind = type(new)
        newest = session.scalars(select(kind.id).order_by(kind.id.desc())).first() or 0
        if row["id"] > newest:
            new.id = row["id"]
        session.add(new)
        session.flush()
        if row["id"] > newest:
            _count_on(session, kind.__tablename__, row["id"])
        self._ids.get(kind, {})[row["id"]] = new.id


def _count_on(session: Session, table: str, number: int) -> None:
    """Let PostgreSQL count on from an id that it has not given; SQLite does so by itself."""
    if session.get_bind().dialect.name == "postgresql":
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        newest = f"greatest(nextval({sequence}), :number)"
        session.execute(text(f"SELECT setval({sequence}, {newest})"), {"number": number})


def _given(row: Row, **instead: Any) -> dict[str, Any]:
    """Return a row as a client would send it."""
    given = {name: each for name, each in row.items() if name != "id" and not name.endswith("_id")}
    return {**given, **{name: given.get(name) or other for name, other in instead.items()}}


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
