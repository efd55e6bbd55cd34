"""What people call the values of our vocabularies: English sentences for the catalogues."""

from mdm.core.errors import N_

PLATFORMS = {"android": "Android", "ios": "iOS", "linux": "Linux"}
KINDS = {"kiosk": N_("Kiosk"), "laptop": N_("Laptop"), "phone": N_("Phone"), "tablet": N_("Tablet")}
OWNERSHIPS = {"city": N_("City"), "loan_pool": N_("Loan pool"), "private": N_("Private")}
STATES = {
    "in_stock": N_("In stock"),
    "handed_out": N_("Handed out"),
    "on_loan": N_("On loan"),
    "in_repair": N_("In repair"),
    "lost": N_("Lost"),
    "returned": N_("Returned"),
    "wiped": N_("Wiped"),
    "retired": N_("Retired"),
}
VERDICTS = {
    "compliant": N_("Compliant"),
    "in_grace": N_("In grace"),
    "noncompliant": N_("Not compliant"),
    "unknown": N_("Unknown"),
}
PERSONAS = {
    "city": N_("Employee of the city"),
    "unit": N_("Employee inside a unit"),
    "citizen": N_("Employee as citizen"),
}
SEEN = {
    "day": N_("Within 24 hours"),
    "week": N_("1 to 7 days ago"),
    "older": N_("More than 7 days ago"),
    "never": N_("Never"),
}
VERBS = {
    "diagnostics": N_("Collect diagnostics"),
    "lock": N_("Lock"),
    "message": N_("Message"),
    "refresh": N_("Refresh"),
    "restart": N_("Restart"),
    "unlock": N_("Unlock"),
    "wipe": N_("Wipe"),
}
COMMAND_STATES = {
    "queued": N_("Queued"),
    "sent": N_("Sent"),
    "fetched": N_("Fetched"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "refused": N_("Refused by the device"),
    "expired": N_("Expired"),
    "cancelled": N_("Cancelled"),
}
ORDER_STATES = {
    "requested": N_("Waits for approval"),
    "approved": N_("Approved"),
    "held": N_("Held"),
    "released": N_("Released"),
    "fetched": N_("Fetched"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "refused": N_("Refused by the device"),
    "rejected": N_("Rejected"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
}
INVITATION_STATES = {
    "open": N_("Open"),
    "started": N_("Started"),
    "finished": N_("Finished"),
    "failed": N_("Failed"),
    "expired": N_("Expired"),
    "withdrawn": N_("Withdrawn"),
}
ROLES = {
    "fleet_admin": N_("Fleet admin"),
    "policy_editor": N_("Policy editor"),
    "desk_clerk": N_("Desk clerk"),
    "approver": N_("Approver"),
    "auditor": N_("Auditor"),
    "employee": N_("Employee"),
}
ACTORS = {
    "operator": N_("Operator"),
    "token": N_("API token"),
    "command_line": N_("Command line"),
    "system": N_("System"),
    "device": N_("Device"),
    "visitor": N_("Visitor"),
}
YES_NO = {"yes": N_("Yes"), "no": N_("No")}
