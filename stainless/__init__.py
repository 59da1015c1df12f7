"""Stainless: what rendering and training both stand on, and the command that leads to either.

Rendering and training share nothing but the dataset on disk; this package holds the little that
both need to agree on it: how an error is said, how a file is written, how numbers are hashed.
"""

__version__ = "0.1.0"
