"""Migrations of the database, written by Alembic and read by `havenmeester database`."""
