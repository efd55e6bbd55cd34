"""The command line, and the one place where the four processes are wired together."""
