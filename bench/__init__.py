"""Benchmarks: one file per question. They report and never judge; each runs the peer in the same run."""
