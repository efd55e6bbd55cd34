"""The door for operators: pages."""
