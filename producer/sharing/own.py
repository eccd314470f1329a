"""The producer's own camera, `VIDEOLINK`, as a record among the others."""

from collections.abc import Mapping

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


def _is_same(record: CameraRecord, link: str, seal: Seal) -> bool:
    try:
        return seal.open(record.link) == link
    except SealError:
        return False
