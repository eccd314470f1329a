"""What a camera's record asks of the producer that has it."""

from collections.abc import Container

from pipeline.cameras.links import LinkError
from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.schemes import check_scheme
from pipeline.cameras.seal import Seal, SealError
from pipeline.service.masking import remember_link
from producer.capture import How
from producer.settings import ProducerSettings, parse_link
from producer.sharing.captures import Wish


class Wishes:
    """Turns records into wishes: each once, because decrypting a link takes a while."""

    def __init__(self, settings: ProducerSettings, seal: Seal) -> None:
        self._settings = settings
        self._seal = seal
        self._known: dict[str, tuple[CameraRecord | RecordError, Wish]] = {}

    def of(self, name: str, record: CameraRecord | RecordError) -> Wish:
        """Return how to capture a camera, or why it is not captured."""
        known = self._known.get(name)
        if known is None or known[0] is not record:
            known = self._known[name] = (record, self._wish(record))
        return known[1]

    def keep(self, names: Container[str]) -> None:
        """Forget all other cameras."""
        self._known = {name: known for name, known in self._known.items() if name in names}

    def _wish(self, record: CameraRecord | RecordError) -> Wish:
        if isinstance(record, RecordError):
            return "no-signal", f"its record in topic {self._settings.camerastopic} cannot be used: {record}"
        if record.paused:
            return "paused", None
        try:
            link = self._seal.open(record.link)
            remember_link(link)
            if link != self._settings.source:  # the operator's own is not restricted
                check_scheme(link, self._settings.linkschemes)
                link = parse_link(link)
        except (SealError, LinkError) as error:
            return "no-signal", str(error)
        interval = record.interval or self._settings.frameinterval
        return How(link, interval, record.scale, record.rotate, record.partition)
