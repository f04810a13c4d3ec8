"""Review: a queue of samples that people judge, ending in an error rate."""

from .panel import Review

__all__ = ["Review"]
