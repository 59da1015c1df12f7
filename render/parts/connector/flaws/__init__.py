"""What may be wrong with a connector, a module each."""
