"""A flat connector of galvanized sheet on a black cloth, under a softbox."""
