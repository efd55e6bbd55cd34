"""A process of its own with its own keys and ledger: issues certificates, signs orders, on a local socket."""
