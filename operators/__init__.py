"""The stages: one file each. What a person clicks, queues or calls."""

from .hoist_labels import HoistLabels

#: Every operator of the bundle, in the order of an audit.
OPERATORS = (HoistLabels,)
