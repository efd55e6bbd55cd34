"""What people call the fields and values among the details of the diary; one that is missing here is shown by its name."""

from collections.abc import Mapping

from mdm.core.errors import N_
from mdm.overview import words

LABELS = {
    "after": N_("after"),
    "approved": N_("approved"),
    "as": N_("file"),
    "before": N_("before"),
    "budget": N_("budget"),
    "code": N_("code"),
    "columns": N_("columns"),
    "command": N_("command"),
    "count": N_("its count"),
    "created": N_("new"),
    "device": N_("device"),
    "devices": N_("devices"),
    "email": N_("e-mail address"),
    "fields": N_("fields"),
    "filters": N_("filters"),
    "fingerprint": N_("fingerprint"),
    "invitation": N_("invitation"),
    "issuer": N_("identity provider"),
    "kept": N_("the count we knew"),
    "key": N_("key"),
    "lane": N_("lane"),
    "lines": N_("lines"),
    "method": N_("way"),
    "name": N_("name"),
    "note": N_("note"),
    "owner": N_("who answers for it"),
    "passkey": N_("passkey"),
    "people": N_("people"),
    "person": N_("person"),
    "place": N_("place"),
    "reason": N_("reason"),
    "role": N_("role"),
    "rows": N_("rows"),
    "rule": N_("rule"),
    "service_point": N_("service point"),
    "sound": N_("sound"),
    "state": N_("state"),
    "text": N_("text"),
    "tokens_revoked": N_("API tokens revoked"),
    "unit": N_("unit"),
    "until": N_("until"),
    "updated": N_("changed"),
    "verb": N_("verb"),
    "version": N_("version"),
    "why": N_("why"),
}
METHODS = {
    "link": N_("one-time link"),
    "link+code": N_("one-time link and code"),
    "oidc": N_("city account"),
    "passkey": N_("passkey"),
    "password": N_("password"),
    "password+code": N_("password and code"),
}
VALUES: Mapping[str, Mapping[str, str]] = {
    "method": METHODS,
    "role": words.ROLES,
    "state": {**words.STATES, **words.ORDER_STATES, **words.COMMAND_STATES},
    "verb": words.VERBS,
}
"""The vocabulary that the values of a field come from."""
