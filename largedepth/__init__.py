"""The command line of largedepth."""
