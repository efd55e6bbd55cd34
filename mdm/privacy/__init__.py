"""Privacy as code: one map of every field, and what is made from it."""
