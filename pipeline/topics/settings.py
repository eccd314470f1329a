"""The settings of `python -m pipeline.topics`."""

from typing import Literal

from pydantic import Field

from pipeline.cameras.settings import CamerasTopicSettings
from pipeline.service.values import Bootstrap, Topic
from pipeline.topics import plan
from pipeline.topics.plan import Plan


class TopicsSettings(CamerasTopicSettings):
    """Where Kafka is, and what its topics are called."""

    kafkaport: Bootstrap = Field(
        "localhost:19095", description="the address of Kafka, such as kf1-service:19095"
    )
    topicnamein: Topic = Field("videocam", description="the topic between producers and consumers")
    topicnameout: Topic = Field("videodisplay", description="the topic between consumers and video servers")
    topicnamemembers: Topic = Field("members", description="the topic on which members of groups beat")
    topicnamelogouts: Topic = Field("logouts", description="the topic with logouts")
    camerastopic: Topic | None = Field("cameras", description="the topic that lists the cameras")
    frameformat: Literal["jpeg", "mat"] = Field(
        "jpeg", description="jpeg, or mat for the original system's format"
    )

    def plans(self) -> list[Plan]:
        """Return the plans of all topics."""
        frames = [
            plan.frames(name, self.partitions, self.maxpixels, self.frameformat)
            for name in (self.topicnamein, self.topicnameout)
        ]
        return [
            *frames,
            plan.states(self.topicnamestatus),
            plan.beats(self.topicnamemembers),
            *plan.listed(self),
            plan.logouts(self.topicnamelogouts),
        ]
