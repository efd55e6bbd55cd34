"""What else is on a service point's network, and what of ours is not there."""
