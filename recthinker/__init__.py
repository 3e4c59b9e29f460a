"""RecThinker: nightly recommendations by an Analyze-Plan-Act LLM agent over Spark and Delta feature tables.

The map of the packages is in ARCHITECTURE.md. Source of the method: RecThinker, arXiv 2603.09843.
"""

__version__ = "0.1.0"
