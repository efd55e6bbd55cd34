"""The employees' page."""
