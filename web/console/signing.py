"""Signing a statement on a page: with a passkey, whose challenge is the statement's digest, or with a file made elsewhere."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from agent.proof import statement_digest
from mdm.access import service as access
from mdm.access.queries import has_passkey
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.storage.call import Call
from web.console.identity import party

MAX_FILE = 256 * 1024
"""Bytes of a file with signatures: a paper with everybody's, and the statement."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What the card of a page needs for signing one statement."""

    digest: str
    """SHA-256 of the statement, hexadecimal."""
    options: dict[str, Any] | None
    """What the browser is asked; None for somebody without a passkey."""

    @property
    def short(self) -> str:
        """The digest as people compare it: the first 16 characters in groups of four."""
        return " ".join(self.digest[place : place + 4] for place in range(0, 16, 4))


def signing(call: Call, text: str) -> Signing:
    """How the actor can sign this statement here."""
    digest = statement_digest(text)
    if call.actor.id is None or not party().usable or not has_passkey(call, call.actor.id):
        return Signing(digest.hex(), None)
    return Signing(digest.hex(), access.signing_options(call, party(), digest))


def given_proofs(call: Call, text: str) -> list[dict[str, Any]]:
    """The signatures that a form brought over this statement: one by passkey, or those of a file.

    Raises ConflictError when the page showed another statement, InvalidError when nothing came, or nothing that can be
    read; ``keep`` is set where the use of a passkey must be remembered.
    """
    digest = statement_digest(text)
    if request.form.get("digest", digest.hex()) != digest.hex():
        raise ConflictError(
            N_("What is to be signed has changed since this page was opened. Nothing was signed; look at it again."),
            code="another_statement",
        )
    credential = request.form.get("credential", "")
    if credential:
        signed = access.sign_statement(call, party(), digest, credential)
        if signed is None:
            error = InvalidError(
                N_("The passkey's signature does not hold. Nothing was signed; try again."), code="passkey_refused"
            )
            error.keep = True
            raise error
        return [dict(signed.proof)]
    return _of_file(text)


def _of_file(text: str) -> list[dict[str, Any]]:
    """The signatures in an uploaded file: one alone, or a paper that holds the statement and everybody's."""
    file = request.files.get("proof")
    raw = file.read(MAX_FILE + 1) if file is not None else request.form.get("proof", "").encode()
    sentence = N_("Choose the file that havenmeester approve has written. Nothing was signed.")
    wrong = InvalidError(sentence, fields={"proof": sentence}, code="proof_form")
    if not raw or len(raw) > MAX_FILE:
        raise wrong
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise wrong from error
    if isinstance(value, dict) and "proofs" in value:
        if value.get("statement") != text:
            sentence = N_("The file holds signatures over something else. Nothing was signed.")
            raise InvalidError(sentence, fields={"proof": sentence}, code="another_statement")
        value = value["proofs"]
    proofs = value if isinstance(value, list) else [value]
    if not proofs or len(proofs) > 100 or not all(isinstance(one, dict) for one in proofs):
        raise wrong
    return proofs


def paper(text: str, name: str, **more: Any) -> Response:
    """The statement as a file for ``havenmeester approve``."""
    body = json.dumps({"statement": text, "proofs": [], **more}, indent=2, ensure_ascii=False) + "\n"
    response = Response(body, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response
