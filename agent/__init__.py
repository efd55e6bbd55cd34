"""The on-device agent: a house of its own, standard library only while it runs."""

VERSION = "0.1.0"
