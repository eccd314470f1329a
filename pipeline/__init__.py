"""Code that two or more services share: wire format, Kafka clients, life of a service, flow of frames."""

import os

# Keeps NumPy from starting a thread per core, which no frame needs. NumPy reads this when it is imported, and
# the services' imports are the first code that runs: there is no later place for it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
