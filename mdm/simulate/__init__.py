"""A simulated fleet: devices that speak the true wire protocol to the real gateway, so that figures are of the server."""
