"""The operations of the API, one module per subject."""

from web.api.routes import (
    access,
    audit,
    commands,
    compliance,
    device_list,
    devices,
    enrollment,
    groups,
    imports,
    intent,
    orders,
    overview,
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
    overview.api,
    device_list.api,
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
