"""A gRPC server in the test process, and its client."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfserving.server.monitoring.monitoring import Monitor

if TYPE_CHECKING:
    from tests.tfserving.server.rpc_client import Client
    from tfserving.server.models.catalog import Catalog


@pytest.fixture(scope="module")
def rpc_catalog(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Catalog"]:
    from tests.tfserving import toys
    from tfserving.server.graph.saved import Runtime, SavedModel
    from tfserving.server.models.catalog import Catalog
    from tfserving.server.models.model import Model
    from tfserving.server.models.versions import Retries

    base = tmp_path_factory.mktemp("tasks")
    toys.save_tasks(base / "3")

    def load(folder: Path) -> SavedModel:
        return SavedModel(folder, Runtime())

    catalog = Catalog([Model("toy", toy, load, Retries()), Model("tasks", base, load, Retries())])
    catalog.poll()
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def rpc_monitor() -> Monitor:
    return Monitor()


@pytest.fixture(scope="module")
def client(rpc_catalog: "Catalog", rpc_monitor: Monitor) -> Iterator["Client"]:
    from tests.tfserving.server.rpc_client import Client
    from tfserving.server.rpc.options import RpcOptions
    from tfserving.server.rpc.server import RpcServer

    server = RpcServer(rpc_catalog, RpcOptions(health=True), rpc_monitor)
    client = Client(f"127.0.0.1:{server.start()}")
    yield client
    client.channel.close()
    server.close()
