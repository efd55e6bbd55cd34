"""What Snipe-IT calls its columns, in the files that it writes and in those that its importer takes; and what they mean here.

Header names are compared folded, without signs (``imports.table``). A column that is not listed is one of Snipe-IT's custom
fields: it is kept on the device under its own name, and goes back with an export.
"""

from typing import Final

ASSETS: Final = {
    "name": ("item name", "asset name"),
    "tag": ("asset tag",),
    "serial": ("serial number", "serial no.", "serial no"),
    "model": ("model name", "asset model"),
    "manufacturer": (),
    "category": ("asset category",),
    "status": ("status label",),
    "location": ("default location", "rtd location"),
    "purchase_date": ("purchased",),
    "purchase_cost": ("cost",),
    "supplier": (),
    "order_number": ("order no.", "order no"),
    "warranty": ("warranty months",),
    "warranty_until": ("warranty expires", "warranty expiration"),
    "notes": ("asset notes", "item notes", "note"),
    "byod": (),
    "checkout_type": ("checked out to: type",),
    "checkout_location": ("checked out to: location",),
    "username": ("checked out to: username", "user name"),
    "email": ("checked out to: email", "e-mail"),
    "full_name": ("checked out to: full name", "checked out to", "checked out", "fullname"),
    "first_name": ("checked out to: first name",),
    "last_name": ("checked out to: last name",),
    "employee_number": ("employee no.", "employee no", "employee num"),
    "imei": ("imei number", "imei 1", "imei1"),
    "phone_number": ("phone", "mobile number", "telephone number"),
    "platform": ("operating system", "os"),
    "ownership": (),
    "ring": ("rollout ring",),
    "unit": ("unit code",),
    "currency": (),
    "contract": (),
    "contract_until": (),
    "measure": ("employment measure",),
    "state": ("life cycle",),
}
USERS: Final = {
    "first_name": (),
    "last_name": ("lastname",),
    "full_name": ("name", "fullname"),
    "username": ("user name", "login"),
    "email": ("e-mail", "email address"),
    "employee_number": ("employee no.", "employee no", "employee num", "employee id"),
    "phone": ("phone number", "phone num", "telephone number", "telephone"),
    "language": ("locale",),
    "location": (),
    "department": (),
    "end_date": (),
}
LOCATIONS: Final = {
    "name": ("location name", "item name"),
    "code": ("short name",),
    "address": (),
    "address2": ("address 2",),
    "city": (),
    "zip": ("zip code", "postal code", "post code"),
    "country": (),
    "phone": ("phone number", "telephone"),
}
MODELS: Final = {
    "name": ("model name", "item name", "asset model"),
    "category": (),
    "manufacturer": (),
}
STATUSES: Final = {"name": ("status label", "label", "status"), "type": ("status type",)}

CATEGORIES: Final = {
    "phone": ("mobile phones", "mobile phone", "phones", "phone", "smartphones", "smartphone", "cell phones", "gsm", "gsms",
              "telefoons", "telefoon", "telephones", "telephone", "mobile devices", "mobiles"),
    "tablet": ("tablets", "tablet", "ipads", "tablettes", "tablette"),
    "laptop": ("laptops", "laptop", "notebooks", "notebook", "portables", "ordinateurs portables", "chromebooks"),
    "kiosk": ("kiosks", "kiosk", "zuilen", "zuil", "bornes", "borne", "desktops", "desktop", "computers"),
}  # fmt: skip
"""Kinds of device by the folded names of categories. A desktop is what stands in a place and belongs to nobody: a kiosk."""
KIND_OF: Final = {name: kind for kind, names in CATEGORIES.items() for name in names}
CATEGORY_OF: Final = {"phone": "Mobile Phones", "tablet": "Tablets", "laptop": "Laptops", "kiosk": "Kiosks"}

STATUS_OF: Final = {
    "in_stock": "Ready to Deploy",
    "handed_out": "Ready to Deploy",
    "on_loan": "Ready to Deploy",
    "in_repair": "Out for Repair",
    "lost": "Lost/Stolen",
    "returned": "Pending",
    "wiped": "Pending",
    "retired": "Archived",
}
"""The status label that says a state of ours: those that a fresh Snipe-IT has."""
STATE_OF: Final = {
    "ready to deploy": "in_stock",
    "deployable": "in_stock",
    "deployed": "handed_out",
    "pending": "returned",
    "archived": "retired",
    "undeployable": "in_repair",
    "out for diagnostics": "in_repair",
    "out for repair": "in_repair",
    "broken - not fixable": "retired",
    "lost/stolen": "lost",
    "lost": "lost",
    "stolen": "lost",
}
"""The state that a status label says, also those types of labels that a list of them names."""
FURTHER: Final = "custom: "
"""Stands before the name of a column that is a custom field."""

EXPORTED: Final = (
    "Item Name", "Asset Tag", "Serial Number", "Model Name", "Manufacturer", "Category", "Status", "Location",
    "Purchase Date", "Purchase Cost", "Supplier", "Order Number", "Warranty", "Asset Notes", "BYOD", "Checkout Type",
    "Full Name", "Email", "Username", "Employee Number", "IMEI", "Phone Number", "Platform", "Ownership", "Ring", "Unit",
    "Currency", "Contract", "Contract Until", "Measure", "Warranty Expires", "State",
)  # fmt: skip
"""The columns of an export: up to the employee's number those of Snipe-IT's importer, then ours as its custom fields."""
