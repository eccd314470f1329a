"""`make bench`: figures of the running system, most of them measured against a reference in the same run."""
