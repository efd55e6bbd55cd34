"""Asking devices to install a release of the agent. For the machinery: who decides is another room."""

from collections.abc import Iterable
from datetime import timedelta

from mdm.commands.model import Command, State, Verb
from mdm.core.ids import new_uid
from mdm.inventory.waiting import add_waiting
from mdm.storage.call import Call

STANDS = timedelta(days=30)


def queue(call: Call, device_ids: Iterable[int], version: str) -> dict[int, str]:
    """One command for each device; its id by the device. It comes with the device's next check-in. Asks for no right."""
    made = {
        device: Command(
            id=new_uid(),
            device_id=device,
            verb=Verb.UPDATE.value,
            args={"version": version},
            state=State.QUEUED.value,
            asked_by="releases",
            created_at=call.now,
            expires_at=call.now + STANDS,
        )
        for device in device_ids
    }
    call.session.add_all(made.values())
    call.session.flush()
    add_waiting(call, list(made), 1)
    return {device: command.id for device, command in made.items()}
