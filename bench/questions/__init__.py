"""The questions of the bench, a file each: the docstring asks, `run` answers."""
