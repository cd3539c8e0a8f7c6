"""The product as pure functions over frozen values: no I/O, no clock, no chance, no logging."""
