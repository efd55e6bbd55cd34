"""The door for programs: REST API v1."""
