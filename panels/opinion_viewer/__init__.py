"""The opinion viewer: one sample's annotation beside every witness's opinion, word by word."""

from .panel import OpinionViewer

__all__ = ["OpinionViewer"]
