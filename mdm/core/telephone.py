"""Telephone numbers: one spelling for one telephone, and whether it can be written to."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
"""Kinds that can get an SMS; some countries do not tell the two apart."""


def mobile_number(written: str, country: str) -> str | None:
    """The number as ``+32470123456`` (E.164); None for what is no telephone number, or none of a mobile phone.

    ``country`` is where a number without ``+`` or ``00`` belongs (ISO 3166, ``BE``).
    """
    try:
        number = phonenumbers.parse(written, country)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in MOBILE:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
