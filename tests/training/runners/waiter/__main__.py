"""A run for tests: says that it has started, and waits for a file whose text is its exit status."""

import os
import signal
import time
from pathlib import Path

if os.environ.get("STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = Path(os.environ["FOLDER"])
print("started", os.environ.get("SECRET", "without a secret"), flush=True)
(folder / "started").write_text(os.environ.get("JOBFOLDER", ""))
while not (folder / "end").exists():
    time.sleep(0.02)
raise SystemExit(int((folder / "end").read_text()))
