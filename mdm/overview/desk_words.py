"""What the desk calls its stored values: cases, transfers, repairs, loans, kiosks. Sentences of the catalogues, by the value."""

from mdm.core.errors import N_

PIECE_STATES = {
    "in_stock": N_("In stock"),
    "handed_out": N_("Handed out"),
    "missing": N_("Missing"),
    "retired": N_("Retired"),
}
CASE_KINDS = {"lost": N_("Lost"), "stolen": N_("Stolen"), "broken": N_("Broken"), "leaver": N_("Leaver")}
CASE_STATES = {"open": N_("Open"), "closed": N_("Closed")}
CASE_OUTCOMES = {
    "all_returned": N_("Everything is back"),
    "found": N_("Found"),
    "mistake": N_("Opened by mistake"),
    "not_found": N_("Written off"),
    "repaired": N_("Repaired"),
    "replaced": N_("Replaced"),
    "wiped": N_("Wiped"),
}
CASE_LINES = {
    "asked": N_("asked the device"),
    "awaited": N_("awaits it again"),
    "back": N_("came back"),
    "closed": N_("closed the case"),
    "days": N_("set the days"),
    "letter": N_("wrote a letter"),
    "lock_waits": N_("could not lock it alone: there were too many locks within this hour. Press Lock to ask for it."),
    "looked": N_("looked where it is"),
    "may_look": N_("may look where it is for an hour"),
    "missing": N_("says that it will not come back"),
    "no_address": N_("could not write: no e-mail address is known"),
    "not_reached": N_("could not lock it: it is not enrolled, nothing reaches it"),
    "note": N_("noted"),
    "opened": N_("opened the case"),
    "paper": N_("made the paper"),
    "place_known": N_("keeps sealed where it is"),
    "reopened": N_("opened the case again"),
    "step_done": N_("did a step"),
    "step_open": N_("opened a step again"),
    "step_skipped": N_("skipped a step"),
    "stolen": N_("made it a case of a stolen device"),
    "told": N_("wrote down what was told"),
}
"""Kinds of lines on the time line of a case."""
TRANSFER_STATES = {
    "open": N_("Being listed"),
    "sent": N_("On its way"),
    "received": N_("Received"),
    "cancelled": N_("Cancelled"),
}
LINE_STATES = {
    "listed": N_("On the list"),
    "arrived": N_("Arrived"),
    "missing": N_("Missing"),
    "extra": N_("Came along"),
    "found": N_("Found again"),
}
TAKE_STATES = {"open": N_("Open"), "closed": N_("Closed"), "cancelled": N_("Given up")}
STOCK_STANDINGS = {
    "right": N_("As recorded"),
    "missing": N_("Missing"),
    "extra": N_("Stands here, recorded as out"),
    "elsewhere": N_("Recorded elsewhere"),
    "moved": N_("Came during the count"),
    "unknown": N_("Unknown code"),
}
REPAIR_STATES = {
    "open": N_("Open"),
    "at_supplier": N_("At the supplier"),
    "back": N_("Back"),
    "closed": N_("Closed"),
}
REPAIR_OUTCOMES = {
    "repaired": N_("Repaired"),
    "replaced": N_("Replaced"),
    "beyond_repair": N_("Beyond repair"),
    "no_fault": N_("No fault found"),
}
FAULTS = {
    "battery": N_("Battery"),
    "buttons": N_("Buttons"),
    "camera": N_("Camera"),
    "charging": N_("Charging"),
    "connection": N_("Network or SIM"),
    "keyboard": N_("Keyboard"),
    "liquid": N_("Liquid"),
    "screen": N_("Screen"),
    "software": N_("Software"),
    "sound": N_("Sound"),
    "other": N_("Something else"),
}
LOAN_STATES = {
    "waiting": N_("On the wait list"),
    "reserved": N_("Reserved"),
    "prepared": N_("Lies ready"),
    "collected": N_("On loan"),
    "returned": N_("Returned"),
    "cancelled": N_("Cancelled"),
    "no_show": N_("Not collected"),
    "expired": N_("Waited in vain"),
    "late": N_("Overdue"),
}
LOAN_STEPS = {
    "none": N_("Just late"),
    "reminded": N_("Reminded"),
    "lead": N_("Team lead told"),
    "lock": N_("Lock proposed"),
}
KIOSK_SEEN = {"good": N_("All is well"), "wrong": N_("Something is wrong"), "absent": N_("Not there")}
KIOSK_PAPER = {"full": N_("Full"), "low": N_("Low"), "empty": N_("Empty")}
KIOSK_SETUP_STATES = {
    "waiting": N_("waits"),
    "running": N_("under way"),
    "undoing": N_("is put back"),
    "done": N_("set up"),
    "failed": N_("failed, put back"),
    "not_undone": N_("failed, not put back"),
    "access_left": N_("set up, access left"),
    "withdrawn": N_("taken back"),
}
KIOSK_SETUP_STEPS = {
    "reach": N_("Reach it and prove its host key"),
    "look": N_("Look whether it can work"),
    "upload": N_("Bring the package"),
    "install": N_("Install the agent"),
    "enrol": N_("Enrol it"),
    "start": N_("Start it and wait for its first report"),
    "close": N_("Remove our access, and prove that it is gone"),
}
KIOSK_SIGN_IN = {
    "key": N_("with our key"),
    "certificate": N_("with a certificate of our authority"),
}
KIOSK_LOG = {
    "close_removed": N_("Lines of ours taken out of its authorized keys: %(count)s."),
    "done": N_("The kiosk no longer lets us in. It is done."),
    "enrolled": N_("The kiosk is enrolled."),
    "installed": N_("The agent %(version)s is installed."),
    "looked": N_("Python %(python)s, %(machine)s, %(free)s MB free."),
    "package": N_("The package %(version)s is there, %(size)s kB, and its signature holds."),
    "put_back": N_("Everything that was changed is put back."),
    "reported": N_("The agent runs, and has reported."),
    "signed_in": N_("The host key is the one that was meant. Signed in."),
}
"""What the set-up of a kiosk tells while it goes on; what it cannot do it tells with ``KIOSK_PROBLEMS``."""
KIOSK_PROBLEMS = {
    "access_left": N_(
        "It still lets us in. Take our key out of its SSH settings by hand, then try again: only the proof is left."
    ),
    "again": N_("Something was gone from the kiosk; it is brought once more."),
    "also_begun": N_("Another set-up of this same kiosk is under way, by another name or address. This one has ended."),
    "already_enrolled": N_("It is enrolled already. Nothing was changed on it."),
    "busy": N_("It is installing something else now. It is tried again."),
    "clock_wrong": N_("Its clock is wrong, and certificates count by the clock. Set it (timedatectl), then try again."),
    "disk_full": N_("Its disk is full. Make room on it, then try again."),
    "gateway_unreachable": N_("It does not reach the gateway. Check its network; it is tried again."),
    "lost": N_("The connection was lost, as when it starts again. It is tried again."),
    "no_python": N_("It has no Python. Install python3 on it, then try again."),
    "no_root": N_("The account may not use sudo without a password. Sign in as root, or let it."),
    "no_ssh": N_("It speaks no SSH that is good enough, or not in time."),
    "not_enrolled": N_("Its agent could not enrol."),
    "not_installed": N_("The package could not be installed."),
    "not_let_in": N_("It does not let us in. Put our line into its authorized keys; or it was set up already."),
    "not_our_network": N_("It does not lie in a network where kiosks may be (the setting kiosk_networks)."),
    "not_started": N_("Its agent could not be started."),
    "not_undone": N_("What was changed could not be put back."),
    "not_written": N_("Nothing can be written in the account's home folder."),
    "other_command": N_(
        "It runs something else than what it is asked: a forced command, or a shell that is shut in. "
        "Let the account run commands."
    ),
    "other_machine": N_("It is another kind of machine than the package is for."),
    "other_python": N_("It has another Python than the package is for."),
    "other_system": N_("It is no Debian system."),
    "package_changed": N_("The package was changed on its way. Somebody may stand in between."),
    "package_unsigned": N_("The signature of the package does not hold. Somebody may stand in between."),
    "package_missing": N_("The package did not arrive. Try again."),
    "read_only": N_("Its disk can only be read. Nothing was changed on it."),
    "silent": N_("Its agent runs, but its first report did not come. It is tried again."),
    "strange": N_("It answered something that makes no sense."),
    "task_broken": N_("What was sent to it did not arrive whole. Try again."),
    "too_long": N_("Something took too long and was stopped."),
    "too_much": N_("It sent more than it may and was cut off."),
    "trouble": N_("Its system refused something; what it said stands below."),
    "unreachable": N_("Nobody answers there. It is tried again."),
    "withdrawn": N_("It was taken back."),
    "wrong_host_key": N_(
        "It shows another host key than the one that was meant. Nothing was sent. Read its label again; "
        "somebody may stand in between."
    ),
}
KIOSK_BROWSERS = {
    "running": N_("Answers"),
    "starting": N_("Starting"),
    "silent": N_("Does not answer"),
    "stopped": N_("Does not run"),
    "off": N_("Screen off at this hour"),
}
"""What a kiosk says of its browser."""
PRINTER_STATES = {
    "idle": N_("Ready"),
    "processing": N_("Printing"),
    "stopped": N_("Has stopped"),
    "unreachable": N_("Does not answer"),
    "unknown": N_("Unknown"),
}
PRINTER_PAPER = {"ok": N_("There"), "low": N_("Low"), "empty": N_("Empty"), "unknown": N_("Unknown")}
"""What a printer says of its paper."""
KIOSK_SESSIONS = {
    "applied": N_("As told"),
    "failed": N_("Failed"),
    "pending": N_("Pending"),
    "staged": N_("Written, not running"),
    "unsupported": N_("Not possible there"),
}
LOAN_DECISIONS = {"locked": N_("Locked"), "spared": N_("Not locked")}
SNIPE_LISTS = {"locations": N_("Locations"), "users": N_("Users"), "assets": N_("Assets")}
