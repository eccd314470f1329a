"""The records that a producer writes itself: its own camera, `VIDEOLINK`, or a clip while there is none."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.cameras.links import path_of
from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, SealError
from pipeline.cameras.topic import partition_for
from producer.settings import ProducerSettings


def own_record(
    settings: ProducerSettings, seal: Seal, cameras: Mapping[str, CameraRecord | RecordError], partitions: int
) -> CameraRecord | None:
    """Return the record to write for `VIDEOLINK`; None if there is nothing to write.

    `partitions` is how many the topic of the frames has; 0 if it is not known.
    """
    if not settings.source:
        return None
    before = cameras.get(settings.cameraname)
    link = seal.close(settings.source)
    if isinstance(before, CameraRecord):
        return None if _is_same(before, settings.source, seal) else before.model_copy(update={"link": link})
    given = settings.model_fields_set
    return CameraRecord(
        link=link,
        interval=settings.frameinterval if "frameinterval" in given else None,
        scale=(settings.imagescalex, settings.imagescaley),
        rotate=settings.rotate,
        partition=partition_for(partitions, cameras.values()) if partitions else None,
    )


def demo_record(
    settings: ProducerSettings, seal: Seal, cameras: Mapping[str, CameraRecord | RecordError]
) -> tuple[str, CameraRecord] | None:
    """Return the name and the record of `DEMOLINK`; None if it is not set, or if there are cameras."""
    link = settings.demolink.get_secret_value()
    are_cameras = any(isinstance(each, RecordError) or not each.is_preview for each in cameras.values())
    if not link or settings.source or are_cameras:
        return None
    return Path(path_of(link)).stem, CameraRecord(link=seal.close(link), partition=0)


def _is_same(record: CameraRecord, link: str, seal: Seal) -> bool:
    try:
        return seal.open(record.link) == link
    except SealError:
        return False
