"""The training service as a process of its own: its settings, and its end when they are wrong."""

import os
import subprocess
import sys
from pathlib import Path

from tests.parts import ROOT, free_port


def settings(broker: str, folder: Path) -> dict[str, str]:
    """Return the settings of a service that listens on a free port and keeps everything in a folder."""
    return {
        "KAFKAPORT": broker,
        "DISPLAYPORT": f"127.0.0.1:{free_port()}",
        "DATAFOLDER": str(folder / "data"),
        "MODELSTORE": str(folder / "models"),
        "STATEFOLDER": str(folder / "state"),
    }


def refusal(folder: Path, **wrong: str) -> str:
    """Start the service with settings that must end it; return the only line that it writes."""
    done = subprocess.run(
        [sys.executable, "-m", "training"],
        env={
            **os.environ,
            **settings("127.0.0.1:9", folder),
            "HEALTHPORT": f"127.0.0.1:{free_port()}",
            "LOGLEVEL": "error",
            **wrong,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line
