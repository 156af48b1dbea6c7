"""Benchmarks: each figure beside its peer, in one run, on one machine. `scripts/bench` runs them."""
