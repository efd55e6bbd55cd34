"""``make bench``: the real server on one core, the load on the other, and a table of figures with a baseline beside them."""
