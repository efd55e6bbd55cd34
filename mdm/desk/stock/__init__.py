"""What lies ready on which shelf, minimum levels, transfers, stock-takes."""
