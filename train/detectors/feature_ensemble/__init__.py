"""Detectors combined by the features of their patches."""
