"""The interpreters."""
