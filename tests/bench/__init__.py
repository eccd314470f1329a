"""`make bench`: figures of the running system, each beside what it is measured against in the same run."""
