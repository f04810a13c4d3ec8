"""Second Opinion: which AI-written annotations of your videos to trust."""

from .operators import OPERATORS
from .panels import PANELS


def register(plugin):
    """Registers every operator and panel; FiftyOne calls this at each registry build."""
    for operator in (*OPERATORS, *PANELS):
        plugin.register(operator)


def __getattr__(name):
    """What FiftyOne's model zoo asks a source for; loaded only then, since torch takes seconds."""
    if name in ("download_model", "load_model", "resolve_input"):
        from .models import zoo

        return getattr(zoo, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
