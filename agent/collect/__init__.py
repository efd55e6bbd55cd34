"""What a machine says of itself: one module per section, files only where files can tell.

Every value that could not be found out is None. Nothing here looks into a person's files, and no name of a wireless
network leaves the machine.
"""
