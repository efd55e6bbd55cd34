"""What is asked of a device once and can be undone or repeated: refresh, message, lock, restart, diagnostics."""
