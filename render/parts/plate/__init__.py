"""A flat metal plate with a parallel finish under a ring light."""
