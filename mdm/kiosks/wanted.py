"""What somebody wants set up, checked field by field before anything is written. Pure but for reading names."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from mdm.core.errors import N_, InvalidError
from mdm.core.mail import email_address
from mdm.core.text import clean
from mdm.kiosks import hostkeys
from mdm.kiosks.model import SignIn

ACCOUNT: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_ROOT: Final = re.compile(r"/|(/[A-Za-z0-9_.-]+)+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One kiosk as it was asked for: cleaned, and right in itself."""

    name: str
    host: str
    port: int
    account: str
    host_key: str
    service_point: str
    email: str
    sign_in: str = SignIn.KEY.value
    root: str = "/"


def checked(
    *,
    host: str,
    host_key: str,
    service_point: str,
    email: str,
    name: str = "",
    port: str | int = "",
    account: str = "",
    sign_in: str = "",
    root: str = "/",
) -> Wanted:
    """The fields in one spelling; what a label says fills in what was left empty.

    Raises InvalidError that names every field that is wrong.
    """
    wrong: dict[str, str] = {}
    label = hostkeys.Label("")
    try:
        label = hostkeys.read(host_key)
    except InvalidError as error:
        wrong.update(error.fields)
    label_host, host = _one_form(label.host), _one_form(clean(host, 255))
    host = host or label_host
    if not _is_host(host):
        wrong["host"] = N_("Write the kiosk's name or address, such as kiosk-7.lan or 10.20.3.7.")
    elif label_host and label_host != host:
        wrong["host"] = N_("The label is of another kiosk.")
    number = str(port).strip() or str(label.port)
    if not (number.isascii() and number.isdigit() and len(number) < 6 and 1 <= int(number) <= 65535):
        wrong["port"] = N_("A port is a number from 1 to 65535.")
        number = "22"
    account = account.strip() or label.account or "root"
    if not ACCOUNT.fullmatch(account):
        wrong["account"] = N_("An account has small letters, digits, - and _, at most 32.")
    sign_in = sign_in.strip().lower() or SignIn.KEY.value
    if sign_in not in set(SignIn):
        wrong["sign_in"] = N_("Choose key or certificate.")
    if not _ROOT.fullmatch(root) or ".." in root.split("/") or len(root) > 200:
        wrong["root"] = N_("Write a whole path of letters, digits, - and _.")
    if not service_point.strip():
        wrong["service_point"] = N_("Say at which service point it stands.")
    try:
        email = email_address(email)
    except InvalidError as error:
        wrong.update(error.fields)
    if wrong:
        raise InvalidError(N_("Nothing was begun: correct the fields that are marked."), fields=wrong)
    called = clean(name) or clean(label.name) or host
    return Wanted(called, host, int(number), account, label.key, service_point.strip(), email, sign_in, root)


def _one_form(host: str) -> str:
    """The host in one spelling, so that one kiosk is not taken for two: small letters, no last point, addresses as RFC 5952."""
    host = host.strip().lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return host


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # What is digits and points alone is an address or nothing: no resolver shall guess.
        return bool(_NAME.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text) and len(text) <= 253
    return True
