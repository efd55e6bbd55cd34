"""The receipt of a paper: read from its rows, drawn by ``paper.receipt``, mailed to the person by the worker."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mdm.desk.custody.model import Paper, Signature, Terms
from mdm.desk.paper import receipt
from mdm.desk.paper.words import LANGUAGES, word
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.call import Call


@dataclass(frozen=True, slots=True)
class Letter:
    """A receipt on its way to a person."""

    to: str
    subject: str
    text: str
    name: str
    content: bytes


def pdf(call: Call, paper: Paper, settings: Settings, way_in: tuple[str, str] | None = None) -> bytes:
    """The receipt of a paper that the actor has been given already. ``way_in``: address and code for the person's own page."""
    zone = ZoneInfo(settings.timezone)
    terms = call.session.get(Terms, paper.terms_id) if paper.terms_id is not None else None
    signature = call.session.get(Signature, paper.signature_id) if paper.signature_id is not None else None
    signed = None
    if signature is not None and signature.signed_at is not None:
        signed = receipt.SignedBy(
            signature.name, signature.how, signature.signed_at.astimezone(zone), signature.strokes, signature.typed
        )
    return receipt.pdf(
        receipt.Receipt(
            organisation=settings.organisation,
            number=paper.number,
            kind=paper.kind,
            at=paper.at.astimezone(zone),
            clerk=paper.clerk,
            language=language_of(paper),
            content=paper.content,
            terms=(terms.title, terms.text) if terms else None,
            signed=signed,
            way_in=way_in,
        )
    )


def language_of(paper: Paper) -> str:
    """The language of the paper's words: the person's where it is one of the city's, else Dutch."""
    return paper.language if paper.language in LANGUAGES else LANGUAGES[0]


def letter(call: Call, paper_id: int, settings: Settings) -> Letter | None:
    """The mail with the receipt, for the worker; None when the person has no address, or it was sent already."""
    paper = call.session.get(Paper, paper_id)
    person = call.session.get(Person, paper.person_id) if paper is not None and paper.person_id is not None else None
    if paper is None or person is None or not person.email or paper.mailed_at is not None:
        return None
    language = language_of(paper)
    filled = {"name": person.name, "number": paper.number, "place": paper.content.get("place", {}).get("name", "")}
    return Letter(
        person.email,
        word("subject", language).format(**filled),
        word("letter", language).format(**filled),
        f"{paper.number}.pdf",
        pdf(call, paper, settings),
    )


def mailed(call: Call, paper_id: int) -> None:
    """Notes that the receipt was sent. Twice is like once."""
    paper = call.session.get(Paper, paper_id)
    if paper is not None and paper.mailed_at is None:
        paper.mailed_at = call.now
