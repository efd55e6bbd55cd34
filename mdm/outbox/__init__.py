"""The post: what must leave the house after a commit. Nothing leaves inside a transaction."""
