"""Signatures as pages bring them: drawn or typed at the clerk's screen, or given on the person's own phone by a link."""

import json
from dataclasses import dataclass

import segno
from flask import make_response, request, url_for
from flask.wrappers import Response
from flask_babel import force_locale, gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.desk.custody import signing
from mdm.desk.custody.asked import Signed
from mdm.desk.custody.model import Signature
from mdm.storage.call import Call
from web.common.guard import may, public
from web.common.language import LANGUAGES
from web.console.desk.keys import Key
from web.console.identity import settings
from web.console.pages.helpers import BOTH, GET, Route, page, refused, text

LONGEST_STROKES = 120_000
"""Characters of JSON that a drawn signature may take; more is answered as malformed."""


@dataclass(frozen=True, slots=True)
class OnPhone:
    """A signature that the page waits for. ``url`` and ``qr`` are known only on the answer that made the link."""

    row: Signature
    url: str = ""
    qr: str = ""

    @property
    def signed(self) -> bool:
        """Whether it is there."""
        return self.row.signed_at is not None


def signing_keys(step: str) -> list[Key]:
    """The other ways to sign, from this one: each sends the form of the page, so that its note is kept."""
    ways = {
        "phone": Key("p", gettext("Sign on the own phone"), icon="device-mobile"),
        "sign": Key("s", gettext("Sign on this screen"), icon="signature"),
        "unsigned": Key("n", gettext("Nobody signs"), icon="signature-off"),
    }
    return [key for name, key in ways.items() if name != step]


def signed_from(asked: str = "") -> Signed | None:
    """The signature of the form that was sent: the one asked for, a typed name, or strokes; None when there is none."""
    typed, strokes = text("typed"), request.form.get("strokes", "").strip()
    if asked:
        return Signed(request=asked)
    if typed:
        return Signed(typed=typed)
    if not strokes:
        return None
    try:
        return Signed(strokes=json.loads(strokes[:LONGEST_STROKES]))
    except (ValueError, RecursionError):
        return Signed(strokes="")


def asked_by(made: tuple[Signature, str]) -> OnPhone:
    """What the page shows of a link that was just made."""
    row, secret = made
    url = settings().console_base + url_for("sign", secret=secret)
    qr = segno.make(url, error="m").svg_data_uri(border=2, scale=5, dark="#000", light="#fff")
    return OnPhone(row, url, qr)


def phone_of(call: Call, uid: str) -> OnPhone | None:
    """The signature that this page waits for; None without one. Raises NotFoundError."""
    return OnPhone(signing.signature(call, uid)) if uid else None


@may(Permission.DESK_WORK)
def signing_state(call: Call, uid: str) -> Response:
    """How far it is, for the page that waits."""
    return page("desk/_phone_state.html", phone=OnPhone(signing.signature(call, uid)))


@public("the link to sign at: whoever stands at the counter with it signs once for what it shows", write=True)
def sign(call: Call, secret: str) -> Response:
    """What is signed, word for word, and the field to sign in, in the person's language."""
    row = signing.opened(call, secret)
    failure = None
    if request.method == "POST":
        try:
            row = signing.sign(call, secret, signed_from() or Signed())
        except HavenmeesterError as error:
            failure = refused(call, error)
            row = signing.opened(call, secret)
    language = row.language if row.language in LANGUAGES else settings().language
    with force_locale(language):
        response = make_response(
            page("desk/sign.html", row=row, content=row.content, failure=failure, language=language, secret=secret)
        )
    response.headers["Referrer-Policy"] = "no-referrer"
    return failure.stamp(response) if failure else response


ROUTES: tuple[Route, ...] = (
    ("/desk/signing/<uid>", "signing_state", signing_state, GET),
    ("/sign/<secret>", "sign", sign, BOTH),
)
