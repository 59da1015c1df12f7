"""Detectors combined by what they say of pictures and pixels."""
