"""Windows: reads across rooms for lists, counts, exports and charts. Writes nothing."""
