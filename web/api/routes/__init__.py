"""The operations of the API, one module per subject."""

from web.api.routes import people, service_points, system, units

BLUEPRINTS = (system.api, people.api, units.api, service_points.api)
"""In the order in which the document lists them."""
