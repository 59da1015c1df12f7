"""The runtimes, a module each."""
