"""Lists from elsewhere: CSV files of people, units, service points and devices, checked row by row, all or nothing."""
