"""The panels: one folder each. What a person looks at."""

from .confidence_map import ConfidenceMap
from .opinion_viewer import OpinionViewer
from .review import Review

#: Every panel of the bundle.
PANELS = (ConfidenceMap, OpinionViewer, Review)
