"""Mao et al., arXiv 2501.09579, section V: what rendered pictures are worth on real ones."""
