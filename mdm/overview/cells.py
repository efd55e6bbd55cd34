"""What the cells of a list need beside the value of their own column."""

from typing import Any, Final

from sqlalchemy import SQLColumnExpression

from mdm.inventory.model import Device

DEVICE: Final[tuple[SQLColumnExpression[Any], ...]] = (
    Device.uid.label("_uid"),
    Device.name.label("_name"),
    Device.tag.label("_tag"),
    Device.serial.label("_serial"),
    Device.kind.label("_kind"),
    Device.product.label("_product"),
    Device.contact_exact.label("_contact_exact"),
)
"""What the cell of a device is drawn from: its address, whatever it can be called by, and its picture; and
how exactly its last contact is told."""
