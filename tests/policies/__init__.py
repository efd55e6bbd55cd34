"""The room of intent."""
