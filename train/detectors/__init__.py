"""The detectors, a folder each: what they learn from nominal pictures, and how they score."""
