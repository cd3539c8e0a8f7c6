"""Real WordPress sites on loopback, made from package registries only; for `make demo` and for the tests."""
