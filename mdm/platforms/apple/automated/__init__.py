"""Automated device enrollment: the tie with Apple's device list, and phones of the city's that enrol while they are set up."""
