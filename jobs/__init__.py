"""Thin entry points: one file is one task, run as `python -m jobs.<name> --ds D --run-id R`."""
