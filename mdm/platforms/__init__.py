"""Interpreters: one per platform, from desired state to the platform's own documents and back."""
