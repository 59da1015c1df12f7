"""anomalib's models behind the detector's protocol, each a method by its own name."""
