"""The operations of the API, one module per subject."""

from web.api.routes import access, devices, enrollment, groups, people, reports, service_points, system, units

BLUEPRINTS = (
    system.api,
    access.api,
    devices.api,
    reports.api,
    groups.api,
    enrollment.api,
    people.api,
    units.api,
    service_points.api,
)
"""In the order in which the document lists them."""
