"""What two or more services share: the frame on the wire, settings, Kafka clients, the life of a service."""

import os

__version__ = "0.1.0"

# NumPy and OpenCV each start a thread for every core, for algebra that no frame asks for; once they are
# imported it is too late to tell them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
