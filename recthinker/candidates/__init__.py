"""Candidates: items to rank for each user, one source a file, merged by reciprocal rank fusion."""

from recthinker.candidates.build import candidates, write_candidates

__all__ = ["candidates", "write_candidates"]
