"""The mathematics of agreement: strings and vectors in, numbers out.

Nothing in this room knows FiftyOne, a database or a network. A missing value
goes in as ``None`` and comes out as ``nan``: missing is never disagreement.
"""
