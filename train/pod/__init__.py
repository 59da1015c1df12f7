"""Probability of detection: flaws of known size are placed, rendered and scored, a curve fitted.

Rendering happens in a process of its own (`train.generator`); what comes back is a dataset.
"""
