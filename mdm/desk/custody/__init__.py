"""Who has what: hand out, take in, swap, the kit, the terms, the signatures."""
