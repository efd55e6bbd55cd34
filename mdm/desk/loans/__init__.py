"""Loans: pools at service points and flex locations, reservations, the wait list, what is overdue."""
