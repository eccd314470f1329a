"""The largest JPEG that the exported models decode."""

from typing import Final

MOST_PIXELS: Final = 16_000_000
"""The default of the services' `MAXPIXELS`."""

MOST_SCANS: Final = 100
"""The most starts of a scan, also in thumbnails; a decoder passes over all pixels once more for each."""
