"""The addresses at which phones enrol: certificates (SCEP), and private phones by account. Decided is below."""

import base64
import binascii
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog
from cryptography.x509 import Certificate, load_pem_x509_certificates
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, MethodNotAllowed

from mdm.core.errors import N_, ConfigurationError, DeniedError, InvalidError, NotFoundError, NotSignedInError
from mdm.platforms.apple import account, addresses, certify, scep
from mdm.platforms.apple.automated import arriving
from mdm.platforms.apple.enrollment_profile import MIME_TYPE
from mdm.storage.call import Call
from web.gateway import body
from web.gateway.door import for_invited, gateway, visitor

log = structlog.get_logger(__name__)
MESSAGE: Final = "application/x-pki-message"
CERTIFICATE: Final = "application/x-x509-ca-cert"


@for_invited
def operation(place: str = "") -> ResponseReturnValue:  # noqa: ARG001 -- the challenge says whose it is
    """What SCEP's one address does, by the operation that the query names."""
    asked = request.args.get("operation", "")
    if asked == "PKIOperation":
        return pki_operation()
    if request.method == "POST":
        raise MethodNotAllowed
    if asked == "GetCACaps":
        return Response(scep.CAPABILITIES, content_type="text/plain")
    if asked == "GetCACert":
        return Response(gateway().phone_ca(), content_type=CERTIFICATE)
    # GetNextCACert among them: there is no next authority, and the capabilities do not promise one.
    raise BadRequest


def pki_operation() -> ResponseReturnValue:
    """A SCEP message and its answer. Whoever is refused gets an answer too; only what is no message at all gets none."""
    here = gateway()

    def transact(*, write: bool = True) -> AbstractContextManager[Call]:
        return here.call(visitor(), write=write)

    try:
        answered = certify.answer(
            transact,
            here.signer,
            _message(),
            days=here.settings.apple_certificate_days,
            by_hand=here.settings.apple_approve_by_hand,
        )
    except InvalidError as error:
        # What is no message of SCEP gets no answer of SCEP, and clients know no other number than this for it.
        log.info("scep message refused", code=error.code)
        return Response(status=400)
    return Response(answered, content_type=MESSAGE)


def _message() -> bytes:
    """The message: the body, or Base64 in the query. Some clients send both with POST: the body counts then."""
    if request.method == "POST":
        return body.read(request.environ, scep.MAX_MESSAGE)
    # A plus sign that was not escaped arrives as a space.
    text = request.args.get("message", "").replace(" ", "+")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(
            N_("The message is not Base64. No certificate was issued."), code="scep_malformed"
        ) from error


@for_invited
def well_known() -> ResponseReturnValue:
    """Where a phone with a managed account enrols; 403 with Apple's own word for an account that is not ours."""
    here = gateway()
    asked = request.args
    try:
        with here.call(visitor(), write=False) as call:
            user, family = asked.get("user-identifier", ""), asked.get("model-family", "")
            # Without an identity provider nobody could sign in, so no account is one of ours.
            found = account.discover(
                call, here.settings.gateway_base, user if here.settings.oidc_issuer else "", family
            )
    except NotFoundError:
        return jsonify({"code": "com.apple.well-known.failed"}), 403
    return jsonify(found)


@for_invited
def account_enrollment() -> ResponseReturnValue:
    """A private phone: sent to sign in, and given its profile once its owner has."""
    here = gateway()
    user = request.args.get("user-identifier", "")[:255]
    shown = request.authorization
    token = shown.token if shown is not None and shown.type == "bearer" else None
    content = body.read(request.environ, account.MAX_MACHINE)
    try:
        maker = here.profile_maker()
        with here.call(visitor()) as call:
            profile = account.enroll(call, maker, token or "", user, content)
    except NotSignedInError:
        address = f"{here.settings.console_base}{addresses.SIGN_IN}?user-identifier={quote(user, safe='')}"
        return Response(status=401, headers={"WWW-Authenticate": f'Bearer method="apple-as-web", url="{address}"'})
    except InvalidError as error:
        log.info("phone refused", code=error.code)
        return Response(status=400)
    return Response(here.signer.sign_profile(profile), content_type=MIME_TYPE)


@for_invited
def automated_enrollment() -> ResponseReturnValue:
    """A phone of the city's that is being set up: its profile, where Apple's key in it says that it is one of ours."""
    here = gateway()
    content = body.read(request.environ, arriving.MAX_MACHINE)
    anchors = _anchors(here.settings.apple_device_anchors)
    try:
        maker = here.profile_maker()
        with here.call(visitor()) as call:
            profile = arriving.arrive(call, maker, content, anchors)
    except arriving.UpdateNeededError as error:
        return jsonify({"code": error.code, "details": {"OSVersion": error.version}}), 403
    except DeniedError as error:
        log.warning("phone refused", code=error.code)
        return Response(status=403)
    except InvalidError as error:
        log.info("phone refused", code=error.code)
        return Response(status=400)
    return Response(here.signer.sign_profile(profile), content_type=MIME_TYPE)


def _anchors(file: str) -> list[Certificate]:
    """Who signs what phones say of themselves; nobody where none is configured."""
    if not file:
        return []
    try:
        return load_pem_x509_certificates(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "The file %(file)s with Apple's authorities cannot be read: %(why)s.",
            file=file,
            why=error,
            mend="Correct the setting apple_device_anchors.",
        ) from error


def add_enrollment(app: Flask) -> None:
    """Adds the addresses."""
    root = addresses.SCEP.rstrip("/")
    app.add_url_rule(root, endpoint="scep", view_func=operation, methods=["GET", "POST"])
    app.add_url_rule(f"{root}/<place>", endpoint="scep_place", view_func=operation, methods=["GET", "POST"])
    app.add_url_rule(addresses.WELL_KNOWN, view_func=well_known)
    app.add_url_rule(addresses.ACCOUNT, view_func=account_enrollment, methods=["POST"])
    app.add_url_rule(addresses.AUTOMATED, view_func=automated_enrollment, methods=["POST"])
