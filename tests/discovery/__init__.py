"""Discovery: what else is on a network."""
