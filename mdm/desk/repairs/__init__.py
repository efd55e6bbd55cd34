"""Repairs that open and close."""
