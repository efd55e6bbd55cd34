"""The map of what is kept: ``columns.csv`` and ``purposes.toml``, read and held to what the database has."""
