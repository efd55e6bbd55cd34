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
LANGUAGES = {
    "nl": "Nederlands",
    "fr": "Français",
    "en": "English",
    "tr": "Türkçe",
    "ar": "العربية",
    "ro": "Română",
}
ACTIONS = {
    "api_token.created": N_("made an API token"),
    "api_token.revoked": N_("revoked an API token"),
    "assignment.added": N_("assigned a policy"),
    "assignment.changed": N_("changed an assignment"),
    "assignment.removed": N_("removed an assignment"),
    "audit.verified": N_("verified the diary"),
    "command.asked": N_("asked for a command"),
    "command.cancelled": N_("cancelled a command"),
    "command.diagnostics": N_("asked for diagnostics"),
    "command.lock": N_("locked"),
    "command.message": N_("sent a message"),
    "command.refresh": N_("asked for a refresh"),
    "command.restart": N_("restarted"),
    "command.unlock": N_("unlocked"),
    "compliance_rule.added": N_("added a rule"),
    "compliance_rule.changed": N_("changed a rule"),
    "compliance_rule.removed": N_("removed a rule"),
    "device.applications_viewed": N_("looked at the applications"),
    "device.created": N_("recorded"),
    "device.edited": N_("edited"),
    "device.enrolled": N_("enrolled"),
    "device.handed_out": N_("handed out"),
    "device.locked": N_("locked"),
    "device.moved": N_("moved"),
    "device.raw_viewed": N_("looked at the raw report"),
    "device.relocated": N_("moved to another place"),
    "device_group.created": N_("made a group"),
    "device_group.edited": N_("edited a group"),
    "exemption.ended": N_("ended an exemption"),
    "exemption.granted": N_("granted an exemption"),
    "invitation.created": N_("invited"),
    "invitation.withdrawn": N_("withdrew an invitation"),
    "list.exported": N_("exported a list"),
    "operator.created": N_("made an operator"),
    "operator.disabled": N_("disabled an operator"),
    "operator.enabled": N_("enabled an operator"),
    "operator.link_made": N_("made a sign-in link"),
    "operator.password_set": N_("set a password"),
    "operator.role_given": N_("gave a role"),
    "operator.role_taken": N_("took a role away"),
    "operator.second_factor_removed": N_("removed a second factor"),
    "operator.second_factor_set": N_("set up a second factor"),
    "operator.signed_in": N_("signed in"),
    "order.approved": N_("approved an order"),
    "order.cancelled": N_("cancelled an order"),
    "order.rejected": N_("rejected an order"),
    "order.requested": N_("asked for an order"),
    "person.came_back": N_("came back"),
    "person.created": N_("made a person"),
    "person.edited": N_("edited a person"),
    "person.left": N_("noted that somebody left"),
    "policy.archived": N_("archived a policy"),
    "policy.created": N_("made a policy"),
    "policy.published": N_("published a policy"),
    "policy.rolled_back": N_("rolled a policy back"),
    "service_point.closed": N_("closed a service point"),
    "service_point.created": N_("made a service point"),
    "service_point.edited": N_("edited a service point"),
    "service_point.reopened": N_("reopened a service point"),
    "unit.closed": N_("closed a unit"),
    "unit.created": N_("made a unit"),
    "unit.edited": N_("edited a unit"),
    "unit.move_cancelled": N_("cancelled a move"),
    "unit.moved": N_("moved a unit"),
    "unit.reopened": N_("reopened a unit"),
}
"""Actions of the diary in words. One that is missing here is shown by its name."""
EVENTS = {
    "recorded": N_("Recorded"),
    "enrolled": N_("Enrolled"),
    "edited": N_("Edited"),
    "handed_out": N_("Handed out"),
    "state": N_("State changed"),
    "moved": N_("State changed"),
    "relocated": N_("Moved to another place"),
    "returned": N_("Returned"),
    "left": N_("Left the management"),
    "renewed": N_("Certificate renewed"),
    "revoked": N_("Certificate refused"),
    "wiped": N_("Wiped"),
}
"""Kinds of lines of a device's own time line; one that is missing here is shown by its name."""
