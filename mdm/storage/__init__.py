"""The cellar: engine, session, column types, migrations. Owns no business table."""
