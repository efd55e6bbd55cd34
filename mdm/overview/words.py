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
STANDINGS = {**VERDICTS, "not_enrolled": N_("Not enrolled")}
"""Verdicts as lists show them: a device that was never enrolled has none."""
CONDITIONS = {
    "good": N_("Good"),
    "worn": N_("Worn"),
    "damaged": N_("Damaged"),
    "broken": N_("Broken"),
    "unseen": N_("Not looked at"),
}
"""How a device looks when it comes back."""
LIGHTS = {
    "red": N_("Locked to an account"),
    "amber": N_("Perhaps locked to an account"),
    "green": N_("Not locked to any account"),
}
"""What the account-lock light showed when a device came back."""
PERSONAS = {
    "city": N_("Employee of the city"),
    "unit": N_("Employee inside a unit"),
    "citizen": N_("Employee as citizen"),
}
SEEN = {
    "day": N_("Today or yesterday"),
    "week": N_("2 to 7 days ago"),
    "older": N_("More than 7 days ago"),
    "never": N_("Never"),
}
VERBS = {
    "diagnostics": N_("Collect diagnostics"),
    "found": N_("Lost mode off"),
    "kiosk_restart": N_("Start the kiosk anew"),
    "locate": N_("Say where it is"),
    "lock": N_("Lock"),
    "lost": N_("Lost mode"),
    "message": N_("Message"),
    "refresh": N_("Refresh"),
    "restart": N_("Restart"),
    "roster": N_("Learn who may approve"),
    "screenshot": N_("Picture of the screen"),
    "update": N_("Install a release of the agent"),
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
    "cooling": N_("Cooling time"),
    "held": N_("Held"),
    "paused": N_("Paused by the holder"),
    "released": N_("Released"),
    "fetched": N_("Fetched"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "refused": N_("Refused by the device"),
    "rejected": N_("Rejected"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
    "unanswered": N_("Unanswered"),
}
ACT_STATES = {
    "requested": N_("Waits for approval"),
    "approved": N_("Approved"),
    "held": N_("Held"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "rejected": N_("Rejected"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
}
PROPOSAL_STATES = {
    "open": N_("Being signed"),
    "sent": N_("Signer asked"),
    "sealed": N_("In force"),
    "refused": N_("Refused by the signer"),
    "withdrawn": N_("Taken back"),
    "expired": N_("Expired"),
    "overtaken": N_("Overtaken by another one"),
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
    "employee": N_("Employee"),
    "operator": N_("Operator"),
    "token": N_("API token"),
    "command_line": N_("Command line"),
    "system": N_("System"),
    "device": N_("Device"),
    "visitor": N_("Visitor"),
}
YES_NO = {"yes": N_("Yes"), "no": N_("No")}
LANGUAGES = {
    "nl": "Nederlands",
    "fr": "Français",
    "en": "English",
    "tr": "Türkçe",
    "ar": "العربية",
    "ro": "Română",
}
MEASURES = {
    "article_60": N_("Article 60"),
    "bis": "BIS",
    "ibo": "IBO",
    "lde": "LDE",
    "oao": "OAO",
    "sine": "SINE",
    "wes": "WES",
    "wijkwerken": "Wijkwerken",
}
"""Employment measures by their own names; only the article has a word."""
