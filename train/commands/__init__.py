"""The commands, one a module; to import one, as --help does, imports nothing heavy."""
