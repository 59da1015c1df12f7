"""Kinds of parts, a folder each; found by their place."""
