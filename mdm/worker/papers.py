"""Mailing the receipts of the counter: a letter with the paper as a PDF, outside any transaction."""

from mdm.core.text import clean
from mdm.desk.custody import receipts
from mdm.worker import mail
from mdm.worker.office import Office
from mdm.worker.post import Payload


def send(office: Office, payload: Payload) -> None:
    """Mails the receipt of one paper, once. Waits uncounted while no mail server is configured."""
    mail.require_server(office)
    number = int(payload["paper"])
    with office.call("desk.paper", write=False) as call:
        found = receipts.letter(call, number, office.settings)
    if found is None:
        return
    letter = mail.message(office, {"to": found.to, "subject": found.subject, "text": found.text})
    letter.add_attachment(found.content, maintype="application", subtype="pdf", filename=clean(found.name, 120))
    mail.deliver(office, letter)
    with office.call("desk.paper") as call:
        receipts.mailed(call, number)
