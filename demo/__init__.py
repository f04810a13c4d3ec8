"""Rendered clips with known truth, and two witnesses that read their pixels.

``python -m demo`` renders short clips, writes an annotation of each in the
published Action100M schema, some of them wrong on purpose, lets two witnesses
look at the pixels, runs the audit, and measures what the audit found.
"""
