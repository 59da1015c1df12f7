"""Experiments: what the methods reach, measured by scripts that anybody can repeat."""
