"""Geometry of the metal surface as slope maps and masks. Numpy only."""
