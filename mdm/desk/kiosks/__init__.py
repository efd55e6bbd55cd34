"""Kiosks at their places: walking round, seeing what no report can tell."""
