"""The command line.  Each page beside this one is a command: `add_parser` says what it takes, `run` does it."""
