"""A city moves in and out: the columns of other asset systems."""
