"""What the agent does for a kiosk: it watches the session, knows when a citizen was there, and may take a picture."""
