"""What a scanner or a person may bring, and in which spellings it may be recorded. Pure: text in, text out.

Bar codes come with a prefix of their symbology (AIM, ISO/IEC 15424), as GS1 element strings, as GS1 Digital Link or as our
own address; an IMEI with or without its check digit; a SIM's ICCID; a serial number with the S that makers put before it
on the box. A keyboard wedge set to QWERTY on an AZERTY machine writes signs where digits were: that is undone as well.
"""

import itertools
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from mdm.core.text import clean

LONGEST: Final = 512
_AIM = re.compile(r"^\][A-Za-z][0-9]")
_GS: Final = "\x1d"
_PRINTED = re.compile(r"\((\d{2,4})\)([^(]+)")
_IDENTIFIERS: Final = ("21", "8002", "8004", "8003", "250")
"""Application identifiers that name one thing: serial number, IMEI (8002), asset (8004), returnable asset, second serial."""
_FIXED: Final = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
"""Lengths of those that end without a separator."""
_AZERTY: Final = str.maketrans("&é\"'(§è!çàAZQWMazqw;°", "1234567890QWAZ:qwazm_")
_SIGNS: Final = frozenset("&é\"'(§è!çà")
PATH: Final = "/desk/scan/"
"""Where the QR code of our labels points: the console's own address, then the code."""


@dataclass(frozen=True, slots=True)
class Read:
    """One code as it was read: ``text`` without what the scanner added, and the spellings to look for, likeliest first."""

    text: str
    spellings: tuple[str, ...]
    bad_check: bool = False
    """It looks like an IMEI, and its check digit is wrong: it was misread."""


def read(raw: str) -> Read:
    """What a code may stand for. Never raises; nothing readable gives an empty text and no spelling."""
    text = _AIM.sub("", raw[:LONGEST].strip())
    candidates = [*_from_address(text), *_from_gs1(text)]
    plain = clean(text.replace(_GS, ""), 255)
    candidates.append(plain)
    unwedged = plain.translate(_AZERTY)
    if _SIGNS & set(plain):
        candidates.append(unwedged)
    found: dict[str, None] = {}
    for candidate in candidates:
        for spelling in spellings(candidate):
            found.setdefault(spelling)
    shown = candidates[0] if candidates[0] else plain
    return Read(shown, tuple(found), any(_misread(candidate) for candidate in candidates))


def spellings(code: str) -> tuple[str, ...]:
    """One code as it may be recorded: as it is, in capitals, without spaces, with and without check digit and prefix."""
    plain = clean(code, 255)
    if not plain:
        return ()
    found = [plain, plain.upper(), plain.lower()]
    bare = re.sub(r"[\s./-]", "", plain)
    if bare != plain and bare.isascii() and bare.isdigit():
        found.append(bare)
    number = imei(bare)
    if number is not None:
        found += [number, number[:14]]
    sim = iccid(bare)
    if sim is not None:
        found += [sim, sim[:-1], sim + "F"]
    if re.fullmatch(r"[Ss][A-Za-z0-9]{8,14}", plain):
        # Apple prints "S" before the serial number in the bar code on the box.
        found.append(plain[1:].upper())
    return tuple(dict.fromkeys(found))


def luhn(digits: str) -> int:
    """The check digit (ISO/IEC 7812-1) that belongs after these digits."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character)
        if position % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return (10 - total % 10) % 10


def imei(code: str) -> str | None:
    """The IMEI with its check digit, from 14, 15 or 16 digits (the last two of 16 are the software); None for anything else."""
    if not (code.isascii() and code.isdigit()):
        return None
    if len(code) in (14, 16):
        return code[:14] + str(luhn(code[:14]))
    if len(code) == 15 and int(code[14]) == luhn(code[:14]):
        return code
    return None


def iccid(code: str) -> str | None:
    """The number of a SIM card with its check digit (ITU-T E.118: 18 or 19 digits, then one); None for anything else."""
    bare = re.sub(r"[\s-]", "", code).rstrip("Ff")
    if not (bare.isascii() and bare.isdigit() and bare.startswith("89")):
        return None
    if len(bare) in (19, 20) and int(bare[-1]) == luhn(bare[:-1]):
        return bare
    return None


def presence(code: str) -> str | None:
    """The eight digits that a device shows to prove that it lies here; None for anything else."""
    bare = re.sub(r"[\s.-]", "", code)
    return bare if len(bare) == 8 and bare.isascii() and bare.isdigit() else None


def address(console_base: str, code: str) -> str:
    """What the QR code of a label holds: the console's address for this code, readable by every phone's camera."""
    return f"{console_base.rstrip('/')}{PATH}{quote(code, safe='')}"


def _misread(code: str) -> bool:
    bare = re.sub(r"[\s./-]", "", code)
    return len(bare) == 15 and bare.isascii() and bare.isdigit() and imei(bare) is None


def _from_address(text: str) -> list[str]:
    """The last part of our own address, what its query calls ``code``, or the identifiers of a GS1 Digital Link."""
    if not re.match(r"https?://", text, re.IGNORECASE):
        return []
    try:
        parts = urlsplit(text)
        asked = parse_qs(parts.query, max_num_fields=20).get("code", [])
    except ValueError:
        return []
    steps = [unquote(step) for step in parts.path.split("/") if step]
    pairs = dict(itertools.pairwise(steps))
    found = [pairs[key] for key in _IDENTIFIERS if key in pairs]
    return [*found, *(asked[:1] if steps == ["desk"] else ()), *steps[-1:]]


def _from_gs1(text: str) -> list[str]:
    """The values of an element string that name one thing: ``(21)ABC`` as printed, or ``01…21ABC<GS>`` as scanned."""
    printed = dict(_PRINTED.findall(text))
    if printed:
        return [printed[key].strip() for key in _IDENTIFIERS if key in printed]
    if _GS not in text and not re.match(r"01\d{14}(21|250|8002|8004)", text):
        return []
    elements: dict[str, str] = {}
    for part in text.split(_GS):
        _elements(part, elements)
    return [elements[key] for key in _IDENTIFIERS if key in elements]


def _elements(part: str, into: dict[str, str]) -> None:
    while part:
        key = part[:2]
        if key in _FIXED:
            into[key], part = part[2 : 2 + _FIXED[key]], part[2 + _FIXED[key] :]
            continue
        known = next((one for one in _IDENTIFIERS if part.startswith(one)), None)
        if known is None:
            return
        into[known] = part[len(known) :]
        return
