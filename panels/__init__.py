"""The panels: one folder each. What a person looks at."""

#: Every panel of the bundle.
PANELS = ()
