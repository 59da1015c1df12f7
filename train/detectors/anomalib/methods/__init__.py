"""The methods, a file each; to import one takes seconds, so it is done on use."""

import warnings

with warnings.catch_warnings():
    # Of packages that anomalib itself still imports by their old names.
    warnings.simplefilter("ignore", FutureWarning)
    import anomalib.models  # noqa: F401
