"""The employee's own page: how somebody comes in, what is theirs, and what they may ask for."""
