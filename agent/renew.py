"""A new key and certificate in good time. The old ones stay until the new ones have worked once."""

import json

from agent import disk, programs, wire
from agent.errors import AgentError, RefusedError, UnreachableError
from agent.state import Identity, State
from agent.transport import Connection, with_certificate

FORMER = 8
"""How many earlier keys are remembered: an order waits for three days at the most, a certificate lasts for weeks."""


def prepare(state: State, identity: Identity, connection: Connection) -> str:
    """Gets a certificate for a new key into the next folder and returns its number. Asked again, it uses the same key.

    Raises AgentError when the gateway refuses or cannot be reached; then nothing has changed.
    """
    number = str(int(identity.current) + 1)
    folder = state.keys(number)
    key_path = folder / "key.pem"
    if not key_path.exists():
        disk.make_folder(folder)
        disk.write(key_path, programs.crypto({"do": "key"})["key"].encode())
    csr = programs.crypto({"do": "csr", "key": key_path.read_text(encoding="ascii")})["csr"]
    reply = connection.ask("POST", wire.RENEW, json.dumps({"csr": csr}).encode()).json()
    chain = reply.get("certificate")
    if not isinstance(chain, str):
        raise UnreachableError("The gateway's answer to the renewal holds no certificate. Trying again later.")
    disk.write(folder / "chain.pem", chain.encode())
    return number


def prove(state: State, identity: Identity, number: str) -> Connection:
    """Shows the new certificate to the gateway and returns the connection on which it was accepted.

    Raises AgentError when it was not; the old one is still in use then.
    """
    ca = state.file("ca.pem").read_text(encoding="ascii")
    connection = Connection(identity.gateway, with_certificate(ca, state.keys(number)))
    try:
        connection.ask("POST", f"{wire.CHECKIN}?d=-&r=-&w=0")
    except RefusedError as trouble:
        # 429 and 503 say nothing about the certificate; everything but 401 was answered to a device that is known.
        if trouble.status in (401, 429, 503):
            connection.close()
            raise
    except AgentError:
        connection.close()
        raise
    return connection


def renew(state: State, identity: Identity, connection: Connection) -> tuple[Identity, Connection]:
    """The whole renewal: a new identity and the connection that proved it. Raises AgentError; then the old one stays."""
    number = prepare(state, identity, connection)
    chain = (state.keys(number) / "chain.pem").read_text(encoding="ascii")
    dates = programs.crypto({"do": "inspect", "certificate": chain})
    proven = prove(state, identity, number)
    # An order that was asked before names the key of that time: it is still for this enrollment.
    former = [*identity.former, identity.public_key][-FORMER:]
    fields = {**identity.fields, **dates, "current": number, "former": former}
    state.save("identity.json", fields)
    connection.close()
    disk.remove_folder(state.keys(identity.current))
    return Identity(fields), proven
