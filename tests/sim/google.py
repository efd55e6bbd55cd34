"""The Google of the simulator, for tests: the same server on a real socket, which they make misbehave by its ``api``."""

from mdm.simulate.google import PROJECT, SUBSCRIPTION, TOPIC, GoogleServer
from mdm.simulate.google_api import ApiError, Fault, GoogleApi
from mdm.simulate.google_phones import GooglePhone

__all__ = ["PROJECT", "SUBSCRIPTION", "TOPIC", "ApiError", "Fault", "GoogleApi", "GooglePhone", "GoogleServer"]
