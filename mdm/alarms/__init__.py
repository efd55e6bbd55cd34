"""Alarms: what somebody must hear of at once, by mail and by webhook, to whom it may concern at that place."""
