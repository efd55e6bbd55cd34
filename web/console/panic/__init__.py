"""Calls for help on the console: on every page, in a list, with roster and exercises."""
