"""What goes wrong with a model as a whole."""


class ModelUnavailable(RuntimeError):
    """A model that cannot be loaded; the message says why, what to install and how large it is."""
