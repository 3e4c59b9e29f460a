"""Upkeep of all tables: who refers to which versions, and what is kept, deleted and put together."""

from recthinker.upkeep.maintain import maintain
from recthinker.upkeep.references import References, find_references

__all__ = ["References", "find_references", "maintain"]
