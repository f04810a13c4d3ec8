"""The confidence map: lexical against semantic agreement, one point a sample."""

from .panel import ConfidenceMap

__all__ = ["ConfidenceMap"]
