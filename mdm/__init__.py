"""Havenmeester's server: the rooms of the house, from the ground (core) to the doors."""
