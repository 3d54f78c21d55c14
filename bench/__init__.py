"""Benchmarks: how long things take, and the same work by another tool in the same run."""
