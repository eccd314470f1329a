"""Brings new versions to a model server: `python -m training.versions.sidecar`."""

from pipeline.service import startup
from pipeline.service.service import Service
from pipeline.service.settings import SettingsError
from training.versions.sidecar.mirror import Mirror
from training.versions.sidecar.settings import SidecarSettings
from training.versions.sidecar.source import Source


def serve(settings: SidecarSettings) -> int:
    """Fetch versions until the sidecar is stopped."""
    service = Service("models", settings.healthport)
    source = Source(settings.trainingurl, settings.trainingtoken.get_secret_value())
    mirror = Mirror(source, settings.servedfolder, settings.basemodels, settings.pollinterval)
    try:
        mirror.start()
    except OSError as error:
        raise SettingsError(f"SERVEDFOLDER='{settings.servedfolder}': {error.strerror}") from None
    service.work("mirror", mirror.run)
    return service.run()


if __name__ == "__main__":
    startup.main("training.versions.sidecar", SidecarSettings, serve)
