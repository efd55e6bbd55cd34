"""Invitations, and the tie between a device and its certificate."""
