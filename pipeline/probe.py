"""Asks the service in this container how it is: `python -m pipeline.probe`, for Docker's HEALTHCHECK.

Ends with 0 where `/healthz` answers 200, else with 1 and a line that says why.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    """Return the exit status."""
    host, _, port = (os.environ.get("HEALTHPORT") or ":9000").rpartition(":")
    connection = HTTPConnection(host or "127.0.0.1", int(port), timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        print(answer.read().decode(errors="replace").strip())
        return int(answer.status != 200)
    except (OSError, HTTPException) as error:
        print(f"no answer on HEALTHPORT: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
