"""The desk of a service point: one record, and everything that is done with it over a counter."""
