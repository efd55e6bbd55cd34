"""The ground: actor, clock, errors, ids, permissions, hostile text. Knows no database and no web."""
