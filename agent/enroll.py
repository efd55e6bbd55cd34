"""From an invitation to an identity. Asked again after a crash it uses the same key, and so gets the same answer."""

import hashlib
import hmac
import json
import re
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from agent import VERSION, disk, errors, programs, wire
from agent.collect import system
from agent.errors import AgentError, RefusedError, UnreachableError
from agent.orders import Trust
from agent.roots import Root
from agent.state import State
from agent.text import printable
from agent.transport import Connection, trusting, trusting_nobody

Say = Callable[[str], None]


class Invitation(NamedTuple):
    """What stands in an invitation's address."""

    token: str
    fingerprint: str
    gateway: str


def read_invitation(url: str) -> Invitation:
    """Takes an address apart. Raises AgentError when something is missing: without a fingerprint nothing is trusted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise AgentError("This is no address. Copy the whole line from the invitation page.", 2) from None
    token = parts.path.rstrip("/").rpartition("/")[2]
    fragment = parse_qs(parts.fragment)
    fingerprint = fragment.get("ca", [""])[0].lower().replace(":", "")
    gateway = fragment.get("gateway", [f"{parts.scheme}://{parts.netloc}"])[0].rstrip("/")
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,128}", token):
        raise AgentError("This address holds no invitation. Copy the whole line from the invitation page.", 2)
    if not re.fullmatch(r"[0-9a-f]{64}", fingerprint):
        raise AgentError(
            "The part after # is missing or cut off: it says which authority to trust. "
            "Copy the whole line from the invitation page, between quotation marks.",
            2,
        )
    if not gateway.startswith("https://"):
        raise AgentError(f"The gateway's address must begin with https://, not {printable(gateway)}.", 2)
    return Invitation(token, fingerprint, gateway)


def fetch_ca(gateway: str, fingerprint: str) -> str:
    """The authority's certificate as PEM, once it is the one of the invitation.

    Raises AgentError with WRONG_FINGERPRINT when it is another one; then nothing is trusted and nothing was sent.
    """
    connection = Connection(gateway, trusting_nobody())
    try:
        text = connection.ask("GET", wire.CA).body.decode("ascii", errors="replace")
    except RefusedError as trouble:
        raise refused(trouble) from trouble
    finally:
        connection.close()
    found = re.search(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", text, re.DOTALL)
    try:
        pem = found.group() if found else ""
        seen = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    except ValueError:
        raise UnreachableError(f"What answers at {gateway} is not a gateway of Havenmeester.") from None
    if not hmac.compare_digest(seen, fingerprint):
        raise AgentError(
            f"The authority at {gateway} is not the one of the invitation (its fingerprint begins with {seen[:16]}, "
            f"expected {fingerprint[:16]}). Somebody may stand in between. Nothing was sent; tell your administrator.",
            errors.WRONG_FINGERPRINT,
        )
    return pem


def own_key(state: State) -> str:
    """The key to be certified, made and written (0600) when there is none yet."""
    folder = state.keys("1")
    path = folder / "key.pem"
    if not path.exists():
        disk.make_folder(state.folder)
        disk.make_folder(folder.parent)
        disk.make_folder(folder)
        disk.write(path, programs.crypto({"do": "key"})["key"].encode())
    return path.read_text(encoding="ascii")


def refused(trouble: RefusedError) -> AgentError:
    """The refusal of an enrollment as a sentence that says what to do."""
    if trouble.status in (429, 503):
        seconds = trouble.retry_after or 30
        return AgentError(
            f"The gateway cannot enrol now: {trouble} Nothing was changed on this device; "
            f"run this command again in {seconds} seconds.",
            errors.UNREACHABLE,
        )
    return AgentError(f"The invitation was refused: {trouble} Nothing was changed on this device.", errors.REFUSED)


def enroll(url: str, state: State, root: Root, say: Say) -> str:
    """Enrols this device and returns the organisation's name. Raises AgentError with a sentence and an exit code."""
    invitation = read_invitation(url)
    if state.read("identity.json"):
        identity = state.identity()
        raise AgentError(
            f"This device is already enrolled with {printable(identity.organisation)} as {printable(identity.device)}. "
            "To enrol it anew, first run: havenmeester-agent leave",
            errors.ALREADY_ENROLLED,
        )
    say(f"Asking {invitation.gateway} for its authority …")
    ca = fetch_ca(invitation.gateway, invitation.fingerprint)
    say("The authority is the one of the invitation.")
    key = own_key(state)
    csr = programs.crypto({"do": "csr", "key": key})["csr"]
    facts = system.collect(root)
    request: wire.EnrollRequest = {
        "token": invitation.token,
        "csr": csr,
        "platform": "linux",
        "serial": facts["serial"],
        "hostname": facts["hostname"] or "",
        "model": facts["model"],
        "version": VERSION,
    }
    say("This device has its key; asking for a certificate …")
    connection = Connection(invitation.gateway, trusting(ca))
    try:
        reply = connection.ask("POST", wire.ENROLL, json.dumps(request).encode()).json()
    except RefusedError as trouble:
        raise refused(trouble) from trouble
    finally:
        connection.close()
    organisation = keep(reply, state, root, invitation.gateway, ca)
    say(f"Enrolled with {printable(organisation)} as device {printable(str(reply['device']))}.")
    return organisation


def whom_to_trust(device: str, chain: str, order_key: str, rosters: object, ca: str) -> list[dict[str, object]]:
    """The rosters of approvers that this device believes from now on. Raises AgentError when the certificate, which the
    invitation's authority has signed, does not say the same as the gateway: whoever runs a gateway names no approvers."""
    asked = {
        "do": "pin",
        "certificate": chain,
        "ca": ca,
        "device": device,
        "order_key": order_key,
        "rosters": rosters,
        "now": int(time.time()),
    }
    answer = programs.crypto(asked)
    if "refused" in answer:
        raise AgentError(
            f"The gateway's answer does not hold ({answer['refused']}): {answer['sentence']} "
            "Somebody may stand in between. This device was not enrolled; tell your administrator.",
            errors.REFUSED,
        )
    learned: list[dict[str, object]] = answer["rosters"]
    return learned


def keep(reply: dict[str, object], state: State, root: Root, gateway: str, ca: str) -> str:
    """Writes what the gateway gave; ``identity.json`` last, which makes it true. Returns the organisation's name."""
    device, chain, order_key = reply.get("device"), reply.get("certificate"), reply.get("order_key")
    organisation = reply.get("organisation")
    if not (isinstance(device, str) and isinstance(chain, str) and isinstance(order_key, str)):
        raise UnreachableError("The gateway's answer lacks the certificate or the order key. Nothing was changed.")
    learned = whom_to_trust(device, chain, order_key, reply.get("rosters"), ca)
    dates = programs.crypto({"do": "inspect", "certificate": chain})
    disk.write(state.keys("1") / "chain.pem", chain.encode())
    trusting(ca).load_cert_chain(state.keys("1") / "chain.pem", state.keys("1") / "key.pem")
    disk.write(state.file("ca.pem"), ca.encode())
    for name in ("wiped.json", "roster.json", "presence.json"):
        state.file(name).unlink(missing_ok=True)
    Trust(state).keep(learned)
    identity = {
        "device": device,
        "gateway": gateway,
        "organisation": organisation if isinstance(organisation, str) else "",
        "order_key": order_key,
        "root": str(root),
        "current": "1",
        **dates,
    }
    state.save("identity.json", identity)
    return str(identity["organisation"])
