"""The interpreter for Android phones: one reading of what a phone shall be, and two ways to bring it there."""
