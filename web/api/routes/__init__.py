"""The operations of the API, one module per subject."""

from web.api.routes import (
    access,
    audit,
    commands,
    compliance,
    devices,
    enrollment,
    groups,
    imports,
    intent,
    orders,
    people,
    policies,
    reports,
    service_points,
    system,
    units,
)

BLUEPRINTS = (
    system.api,
    access.api,
    devices.api,
    reports.api,
    groups.api,
    policies.api,
    intent.api,
    compliance.api,
    commands.api,
    orders.api,
    enrollment.api,
    people.api,
    units.api,
    service_points.api,
    imports.api,
    audit.api,
)
"""In the order in which the document lists them."""
