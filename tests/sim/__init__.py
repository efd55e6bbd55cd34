"""Simulators of strangers: they speak the true protocol."""
