"""The panels: one folder each. What a person looks at."""

from .confidence_map import ConfidenceMap

#: Every panel of the bundle.
PANELS = (ConfidenceMap,)
