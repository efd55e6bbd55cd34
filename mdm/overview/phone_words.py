"""What people call what is a phone's alone: English sentences for the catalogues. Pages find them beside ``words.py``."""

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
    "device.may_stay": N_("let a phone stay after all"),
    "device.turned_away": N_("told a phone to leave"),
    "device.turning_away": N_("said that a phone shall leave"),
    "phone.contested": N_("another phone came with its number"),
    "phone.passcode_asked": N_("gave a phone another passcode"),
    "phone.wipe_failed": N_("came back after a wipe"),
    "phone_file.added": N_("uploaded a file for phones"),
    "phone_file.retired": N_("took a file for phones out of use"),
    "phone_setup.changed": N_("changed how phones are set up"),
    "push_certificate.asked": N_("made a request for a push certificate"),
    "push_certificate.brought": N_("brought in a push certificate"),
    "push_certificate.refused": N_("Apple refused the push certificate"),
    "secret.revealed": N_("looked at a secret of a phone"),
}
PHONE_EVENTS = {
    "android_contested": N_("Another phone came with its number, or it has changed"),
    "android_enrolled": N_("The phone enrolled"),
    "android_passcode_asked": N_("Another passcode was asked for it"),
    "android_passcode_forgotten": N_("A passcode that the phone did not fetch in time was forgotten"),
    "android_passcode_set": N_("The phone has its new passcode"),
    "android_wipe_failed": N_("The phone said that it wipes itself, and came back"),
    "android_wipe_unasked": N_("The phone asked to wipe itself, and was told not to"),
    "android_wiping": N_("The phone said that it wipes itself now"),
    "apple_answer_odd": N_("An answer did not fit its question"),
    "apple_checked_out": N_("The phone left the management"),
    "apple_enrolled": N_("The phone enrolled"),
    "apple_identity_differs": N_("The phone spoke of another device"),
    "apple_push_dead": N_("Apple does not reach it any more"),
    "certificate_issued": N_("Certificate issued"),
    "certificate_renewed": N_("Certificate renewed"),
}
APPLE_ASKERS = {
    "command": N_("a command of ours"),
    "enrollment": N_("the enrollment"),
    "inventory": N_("the daily inventory"),
    "order": N_("an order"),
    "policy": N_("a policy"),
    "renewal": N_("the renewal of its certificate"),
}
"""Who asked a phone where it was no person; a person stands by name."""
APPLE_ENROLLMENTS = {
    "account": N_("Private phone, by its owner's account"),
    "automated": N_("While it was set up, by Apple's list"),
    "invitation": N_("By invitation"),
}
APP_STATES = {
    "Failed": N_("failed"),
    "Installing": N_("being installed"),
    "Managed": N_("managed"),
    "ManagedButUninstalled": N_("removed by the holder"),
    "Prompting": N_("the holder is asked"),
    "PromptingForLogin": N_("the holder is asked to sign in"),
    "Queued": N_("waits"),
    "Rejected": N_("refused by the holder"),
    "UserInstalledApp": N_("was there before"),
    "UserRejected": N_("refused by the holder"),
}
"""Apple's word for the state of a managed application."""
DECLARATION_KINDS = {
    "activation": N_("switches others on"),
    "asset": N_("content for others"),
    "configuration": N_("setting"),
    "management": N_("about the management"),
}
DECLARATION_STATES = {
    "applied": N_("In force"),
    "failed": N_("Refused by the phone"),
    "pending": N_("Not switched on"),
    "unknown": N_("Not reported yet"),
}
PHONE_ASKS = {
    "clear_passcode": N_("Take the passcode off"),
    "found": N_("End the lost mode"),
    "lost_mode": N_("Put into lost mode"),
    "name": N_("Give it a name"),
    "restart": N_("Restart"),
    "shut_down": N_("Shut down"),
    "sound": N_("Play a sound"),
    "wallpaper": N_("Set the wallpaper"),
}
PHONE_ASKS_TELL = {
    "clear_passcode": N_(
        "The phone opens without a passcode from then on, until its holder chooses a new one. A policy that asks for one gives"
        " the holder an hour. It cannot be taken back."
    ),
    "found": N_("The phone can be used again, and what is kept of where it was is forgotten."),
    "lost_mode": N_(
        "The phone locks itself, shows your message, and cannot be used until the lost mode is ended here. It can be asked"
        " where it is, in the case of its loss."
    ),
    "name": N_("The phone shows this name under Settings, and so do the devices around it."),
    "restart": N_("Whoever works on the phone loses what is not saved."),
    "shut_down": N_("The phone is off until somebody switches it on by hand: nothing reaches it meanwhile."),
    "sound": N_("A lost phone plays a sound for two minutes, also when it is muted."),
    "wallpaper": N_("The picture is shown until the holder or somebody here sets another one."),
}
PHONE_KINDS = {
    "city": N_("the city's phones that are not supervised"),
    "private": N_("private phones"),
    "supervised": N_("supervised phones"),
}
PHONE_SECRETS = {"bypass_code": N_("Bypass code"), "unlock_token": N_("Unlock token")}
PHONE_SECRETS_TELL = {
    "bypass_code": N_("Opens a phone that is locked to somebody's Apple account, after it was erased."),
    "unlock_token": N_("Takes the passcode off. Nobody needs to see it: the command uses it by itself."),
}
PROFILE_STATES = {
    "failed": N_("Refused by the phone"),
    "installed": N_("Installed"),
    "leaving": N_("Is being removed"),
    "pending": N_("On its way"),
    "present": N_("Installed"),
}
REACHES = {
    "dead": N_("not reached"),
    "gone": N_("left the management"),
    "later": N_("Apple asks to wait"),
    "no_certificate": N_("no push certificate"),
    "other_topic": N_("listens to another topic"),
    "reached": N_("reached"),
    "silent": N_("has not told how"),
    "woken": N_("woken, has not come yet"),
}
REACHES_TELL = {
    "dead": N_(
        "Apple says that this phone is not reached. It comes by itself, and is reached again once it tells how."
    ),
    "gone": N_("Nothing is sent to it any more."),
    "later": N_("It was woken too often; it is tried again by itself."),
    "no_certificate": N_(
        "Without a push certificate that holds, the phone only comes by itself. See Settings, Phones."
    ),
    "other_topic": N_("It was enrolled with another push certificate, and must enrol again to be woken."),
    "reached": N_("It came when it was woken last."),
    "silent": N_("The enrollment is not complete: the phone tells how it is woken right after it."),
    "woken": N_("A phone that is off or away is woken once more every day while something waits for it."),
}
UPDATE_STATES = {
    "downloading": N_("being downloaded"),
    "failed": N_("failed"),
    "installing": N_("being installed"),
    "prepared": N_("ready to be installed"),
    "preparing": N_("being prepared"),
    "waiting": N_("waits"),
}
ANDROID_WAYS = {"amapi": N_("Google's own management"), "headwind": N_("The free agent")}
ANDROID_LEVELS = {
    "debug": N_("detail"),
    "error": N_("error"),
    "info": N_("note"),
    "verbose": N_("detail"),
    "warning": N_("warning"),
}
