"""Benchmarks, kill drills and what they share: run by `make bench` and `make drill`, not by the tests."""
