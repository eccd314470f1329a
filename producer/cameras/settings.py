"""The settings of `python -m producer.cameras`: those of the producer that concern all of its cameras."""

from pydantic import Field

from pipeline.cameras.settings import CamerasSettings
from pipeline.service.values import Address, Bootstrap, Duration, FrameInterval, Topic
from producer.cameras.errors import CommandError
from producer.settings import INTERVAL, Hosts


class CommandSettings(CamerasSettings):
    """Where the cameras are listed, and how a producer would open one."""

    camerastopic: Topic | None = Field("cameras", description="the compacted topic that lists the cameras")
    kafkaport: Bootstrap | None = Field(None, description="the address of Kafka, such as kf1-service:19091")
    topicname: Topic = Field("videocam", description="the topic of the frames, for its number of partitions")
    frameinterval: FrameInterval = Field(
        INTERVAL, description="time between two frames of a camera that does not set its own, such as 42ms"
    )
    redirecthosts: Hosts = Field(
        frozenset(), description="other hosts to which a camera may lead, separated by commas"
    )
    opentimeout: Duration = Field(
        20, ge=1, le=120, description="time that opening the camera may take, 1s to 120s"
    )
    frozenafter: Duration = Field(
        5, ge=0.5, le=600, description="longest time to wait for a frame, 500ms to 10m"
    )

    @property
    def bootstrap(self) -> str:
        """Kafka's address; raise `CommandError` if it is not set."""
        if self.kafkaport is None:
            raise CommandError("KAFKAPORT is not set (the address of Kafka, such as localhost:9092)")
        return self.kafkaport

    @property
    def topic(self) -> str:
        """The topic that lists the cameras."""
        return self.camerastopic or "cameras"

    @property
    def services(self) -> tuple[Address, ...]:
        """Our own services, as far as this command knows them: no camera may lead there."""
        return tuple(map(Address.parse, self.kafkaport.split(","))) if self.kafkaport else ()
