"""Asks the service in this container for its health: `python -m pipeline.probe /readyz`.

Without a path it asks for `/healthz`, as Docker's HEALTHCHECK does. Prints the answer, and exits with 0 if
its status is 200, otherwise with 1.
"""

import os
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

from pipeline.service.trim import trimmed


def main(path: str = "/healthz") -> int:
    """Return the exit status."""
    host, _, port = (trimmed(os.environ.get("HEALTHPORT", "")) or ":9000").rpartition(":")
    # Without an address, a service answers on both, as far as there are both.
    for address in [host.strip("[]")] if host else ["::1", "127.0.0.1"]:
        connection = HTTPConnection(address, int(port), timeout=2)
        with suppress(OSError):
            connection.connect()
            break
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        print(answer.read().decode(errors="replace").strip())
        return int(answer.status != 200)
    except (OSError, HTTPException) as error:
        print(f"no answer on HEALTHPORT: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
