"""A part for tests that is forked: it prints what it `SAYS`, and `DOES` decides how it ends."""

import os
import signal
import sys
import time


def main() -> None:
    print(os.environ["SAYS"], sys.argv, os.getcwd(), sys.stdin.read(), sep="|", flush=True)
    print("with" if "graphlib" in sys.modules else "without", "graphlib", file=sys.stderr)
    does = os.environ["DOES"]
    if does == "fail":
        raise ValueError("it fails")
    if does == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "stay":
        time.sleep(60)
    sys.exit(int(does))


if __name__ == "__main__":
    main()
