"""Second Opinion: which AI-written annotations of your videos to trust."""

from .operators import OPERATORS
from .panels import PANELS


def register(plugin):
    """Registers every operator and panel; FiftyOne calls this at each registry build."""
    for operator in (*OPERATORS, *PANELS):
        plugin.register(operator)
