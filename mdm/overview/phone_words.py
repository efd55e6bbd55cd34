"""What people call what is a phone's alone: English sentences for the catalogues. ``words.py`` hands them on."""

from mdm.core.errors import N_

APPLE_ASSIGNMENTS = {
    "FAILED": N_("Apple failed to; it is tried again at the next reading"),
    "NOT_ACCESSIBLE": N_("Apple says that this device does not belong to the server of this token"),
    "NO_ANSWER": N_("Apple did not speak of this device; it is tried again at the next reading"),
}
"""Apple's word for why a device does not get our profile."""
APPLE_COMMANDS = {
    "ActivationLockBypassCode": N_("Ask for the bypass code"),
    "CertificateList": N_("List certificates"),
    "ClearPasscode": N_("Take the passcode off"),
    "DeclarativeManagement": N_("Look at the declarations"),
    "DeviceConfigured": N_("End the setup"),
    "DeviceInformation": N_("Ask what it is"),
    "DeviceLocation": N_("Ask where it is"),
    "DeviceLock": N_("Lock"),
    "DisableLostMode": N_("End the lost mode"),
    "EnableLostMode": N_("Put into lost mode"),
    "EraseDevice": N_("Wipe"),
    "InstallApplication": N_("Install an application"),
    "InstallProfile": N_("Install a profile"),
    "InstalledApplicationList": N_("List applications"),
    "ManagedApplicationList": N_("List managed applications"),
    "PlayLostModeSound": N_("Play a sound"),
    "ProfileList": N_("List profiles"),
    "RemoveApplication": N_("Remove an application"),
    "RemoveProfile": N_("Remove a profile"),
    "RestartDevice": N_("Restart"),
    "Restrictions": N_("List restrictions"),
    "SecurityInfo": N_("Ask how secure it is"),
    "Settings": N_("Change settings"),
    "ShutDownDevice": N_("Shut down"),
}
"""Apple's commands by their names in the protocol."""
APPLE_STATES = {
    "acknowledged": N_("Done"),
    "cancelled": N_("Taken back"),
    "error": N_("Failed"),
    "expired": N_("Expired"),
    "format_error": N_("Not understood by the phone"),
    "not_now": N_("The phone is busy, it asks again"),
    "queued": N_("Waits for the phone"),
    "sent": N_("Given, not answered yet"),
    "withheld": N_("Held back: the phone is no longer one that may be asked this"),
}
PHONE_ACTIONS = {
    "apple_tie.assigned": N_("had a profile given anew"),
    "apple_tie.begun": N_("began a tie with Apple's list"),
    "apple_tie.least_version": N_("changed which system new phones must have"),
    "apple_tie.removed": N_("removed a tie with Apple's list"),
    "apple_tie.token": N_("brought in a token of Apple's list"),
    "certificate.approved": N_("approved a phone's certificate"),
    "certificate.refused": N_("refused a phone's certificate"),
    "device.asked": N_("asked something of a phone"),
    "device.left": N_("left the management"),
    "device.turned_away": N_("told a phone to leave"),
    "device.turning_away": N_("said that a phone shall leave"),
    "push_certificate.asked": N_("made a request for a push certificate"),
    "push_certificate.brought": N_("brought in a push certificate"),
    "push_certificate.refused": N_("Apple refused the push certificate"),
    "secret.revealed": N_("looked at a secret of a phone"),
}
PHONE_EVENTS = {
    "apple_answer_odd": N_("An answer did not fit its question"),
    "apple_checked_out": N_("The phone left the management"),
    "apple_enrolled": N_("The phone enrolled"),
    "apple_identity_differs": N_("The phone spoke of another device"),
    "apple_push_dead": N_("Apple does not reach it any more"),
    "certificate_issued": N_("Certificate issued"),
    "certificate_renewed": N_("Certificate renewed"),
}
