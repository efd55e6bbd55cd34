"""Pools, reservations, what is due and overdue."""
