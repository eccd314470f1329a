"""The settings of `python -m pipeline.ledger`."""

from pydantic import Field

from pipeline.service.settings import Settings
from pipeline.service.values import Bootstrap


class LedgerSettings(Settings):
    """Where the services report."""

    kafkaport: Bootstrap = Field(description="the address of Kafka, such as localhost:9092")
