"""Smudges: the smallest kind of impurity there can be."""
