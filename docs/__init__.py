"""The documentation: pages that people write, and `docs.make`, which makes the reference pages from the code."""
