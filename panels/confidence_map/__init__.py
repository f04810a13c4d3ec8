"""The confidence map: lexical against semantic agreement, one point a sample."""

from .panel import ConfidenceMap
from .workspace import install_workspace

__all__ = ["ConfidenceMap", "install_workspace"]
