"""The employee's door: a host name and a cookie of its own, no page of the console in it."""
