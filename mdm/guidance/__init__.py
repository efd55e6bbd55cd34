"""The first week: assignments, short guides, and the colleagues who help."""
