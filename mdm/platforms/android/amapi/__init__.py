"""The way in by Google's Android Management API: for cities that have a project which Google has approved."""
