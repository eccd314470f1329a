"""Limits that the kernel counts: memory, files and processor time."""

import resource


def limit(memory: int, file_size: int, open_files: int, cpu_time: int | None) -> None:
    """Set this process's limits, sizes in bytes and time in seconds.

    The number of processes is not limited here: the kernel counts all of a user's, on the whole machine. The
    filter of system calls denies new ones, and the parent counts the threads.
    """
    # Of private, writable memory. Address space cannot be limited: libraries reserve far more than they use.
    _lower(resource.RLIMIT_DATA, memory)
    _lower(resource.RLIMIT_FSIZE, file_size)
    _lower(resource.RLIMIT_NOFILE, open_files)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_MEMLOCK, 0)
    if cpu_time is not None:
        _lower(resource.RLIMIT_CPU, cpu_time, cpu_time + 5)


def _lower(kind: int, soft: int, hard: int | None = None) -> None:
    _, most = resource.getrlimit(kind)
    hard = soft if hard is None else hard
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))
