"""The flaws of a metal surface; each module here is a kind."""
