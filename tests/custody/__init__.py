"""Who has what: the counter."""
