"""Devices: asset and managed device in one row, their facts, applications and life cycle."""
