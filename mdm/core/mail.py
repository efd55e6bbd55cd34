"""E-mail addresses: one spelling for one mailbox."""

from email_validator import EmailNotValidError, validate_email

from mdm.core.errors import N_, InvalidError


def email_address(value: str, field: str = "email") -> str:
    """The address in small letters (RFC 5321 without quoting); raises InvalidError, at ``field``, for anything else."""
    try:
        return validate_email(value.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        sentence = N_("This is not an e-mail address. Write it as name@domain.")
        raise InvalidError(sentence, fields={field: sentence}, code="email_invalid") from error
