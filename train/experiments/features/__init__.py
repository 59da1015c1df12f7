"""What features and scoring make of a guaranteed threshold, beside rivals on the same features."""
