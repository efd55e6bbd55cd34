"""The protocol of orders as a machine that does anything at any time."""
