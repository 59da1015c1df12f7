"""Fingerprints: ridges, the film of grease on them, and how they are drawn."""
