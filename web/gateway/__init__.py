"""The door for devices."""
