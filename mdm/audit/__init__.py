"""The diary: who changed or saw what, as a hash chain. Written in the same transaction as the change."""
