"""The programs that the bench measures, a file each: a context manager that gives a `Peer` while it answers."""
