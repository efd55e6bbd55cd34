"""Units as a tree with dates, and service points."""
