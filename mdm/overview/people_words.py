"""What stored values about people are called: adoption, calls for help, the first week; sentences of the catalogues."""

from mdm.core.errors import N_

CHANNELS = {
    "mail": N_("E-mail"),
    "sms": N_("SMS"),
    "paper": N_("Paper"),
}
ADOPTION_STANDINGS = {
    "uninvited": N_("Not invited yet"),
    "invited": N_("Invited"),
    "came_in": N_("Was on their page"),
    "reminded": N_("Reminded"),
    "lead_told": N_("Team lead told"),
}
ADOPTION_LINES = {
    "waiting": N_("Waits to be written to"),
    "mail": N_("Written by e-mail"),
    "sms": N_("Written by SMS"),
    "paper": N_("Needs a paper"),
    "printed": N_("Paper printed"),
    "failed": N_("Not delivered, needs a paper"),
    "active": N_("Active already"),
    "earlier": N_("Invited less than a week ago"),
    "left": N_("Has left"),
    "unknown": N_("Unknown number"),
}
PANIC_STATES = {
    "ringing": N_("Nobody has answered"),
    "acknowledged": N_("Somebody is coming"),
    "called_off": N_("Called off"),
    "closed": N_("Closed"),
}
PANIC_OUTCOMES = {
    "aggression": N_("Aggression"),
    "threat": N_("Threat"),
    "medical": N_("Somebody fell ill or had an accident"),
    "other": N_("Something else"),
    "false_alarm": N_("False alarm"),
}
PANIC_READERS = {
    "managers": N_("Only those who answer for the buttons of this place, and me"),
    "answerers": N_("Everybody who may answer calls for help at this place"),
}
PANIC_LINES = {
    "raised": N_("Called for help"),
    "pressed": N_("Pressed the button again"),
    "told_duty": N_("Told those on duty"),
    "told_place": N_("Told everybody who answers calls for help at this place"),
    "told_city": N_("Told everybody who answers calls for help in the city"),
    "told_all": N_("Told everybody silently"),
    "nobody": N_("There was nobody to tell"),
    "coming": N_("Is coming"),
    "called_off": N_("Said: I am safe, it was a false alarm"),
    "duress": N_("Called off with the code that means the contrary: the caller may be forced"),
    "wrong_code": N_("Tried to call it off with a wrong code"),
    "place_known": N_("The phone said where it is"),
    "looked": N_("Looked where it came from"),
    "closed": N_("Closed it with a report"),
    "drill_ended": N_("The exercise ended"),
}
WEEKDAYS = {
    "mon": N_("Monday"),
    "tue": N_("Tuesday"),
    "wed": N_("Wednesday"),
    "thu": N_("Thursday"),
    "fri": N_("Friday"),
    "sat": N_("Saturday"),
    "sun": N_("Sunday"),
}
QUEST_CHECKS = {
    "green": N_("A device reports and all is well"),
    "passcode": N_("A device has a passcode"),
    "application": N_("A device has this application"),
    "visit": N_("The person opened this address"),
    "helped": N_("A colleague confirms by a code"),
    "word": N_("The person says so"),
}
"""How an assignment of a quest is known to be done."""
APP_STATES = {
    "asked": N_("Asked"),
    "granted": N_("Granted"),
    "refused": N_("Refused"),
    "withdrawn": N_("Withdrawn"),
}
"""Where a wish for an application is in its life."""
