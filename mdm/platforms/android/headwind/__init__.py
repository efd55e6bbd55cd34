"""The way without Google's cloud: the unmodified agent of Headwind, by its wire."""
