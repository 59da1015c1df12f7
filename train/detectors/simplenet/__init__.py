"""SimpleNet: a small network on frozen features that tells nominal ones from noisy ones."""
