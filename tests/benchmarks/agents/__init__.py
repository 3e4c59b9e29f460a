"""Worlds, engines and measurements of the batch agent."""
