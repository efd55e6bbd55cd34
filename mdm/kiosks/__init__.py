"""Self-service kiosks brought in over SSH."""
