"""Moments that a device made, told as exactly as its last contact is (``mdm/inventory/contact.py``)."""

from typing import TypeVar

from pydantic import BaseModel

from mdm.inventory import contact

Answer = TypeVar("Answer", bound=BaseModel)


def told(answer: Answer, *names: str, exact: bool) -> Answer:
    """The answer with these moments as people are told them: days while somebody holds the device."""
    return answer.model_copy(update={name: contact.told(getattr(answer, name), exact=exact) for name in names})
