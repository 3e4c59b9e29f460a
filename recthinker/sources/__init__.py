"""Readers of outside data (MovieLens, tabular files), validation row by row, and their way into the landing
tables.
"""
