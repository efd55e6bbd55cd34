"""What ``havenmeester-agent status`` says."""

from typing import Any

from agent import VERSION, presence
from agent.orders import Trust
from agent.state import State, now_text
from agent.text import printable


def _presence(state: State) -> dict[str, Any] | None:
    """The code of presence; None where it cannot be noted as shown, because then it would not count."""
    try:
        code = presence.show(state)
    except OSError:
        return None
    return {"code": code.digits, "seconds": code.seconds}


def collect(state: State) -> dict[str, Any]:
    """Everything that a person at the device may want to know, from the state folder alone."""
    identity = state.read("identity.json")
    applied = state.read("applied.json")
    contact = state.read("contact.json")
    wiped = state.read("wiped.json")
    folder = state.file("spool")
    return {
        "version": VERSION,
        "enrolled": bool(identity),
        "device": identity.get("device"),
        "organisation": identity.get("organisation"),
        "gateway": identity.get("gateway"),
        "root": identity.get("root"),
        "certificate_until": now_text(identity["not_after"]) if "not_after" in identity else None,
        "last_contact": contact.get("at"),
        "last_error": contact.get("error") or None,
        "roster": Trust(state).version,
        "presence": _presence(state) if identity else None,
        "desired": applied.get("digest", "-"),
        "resources": {
            name: {"state": record["state"], "detail": record["detail"]}
            for name, record in applied.get("resources", {}).items()
        },
        "tampered": sorted(applied.get("tampered", {})),
        "waiting_reports": len(list(folder.glob("*.json"))) if folder.is_dir() else 0,
        "lock": state.read("lock.json") or None,
        "messages": state.read("messages.json").get("messages", []),
        "wiped": wiped or None,
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The same for a person."""
    if found["wiped"] and not found["enrolled"]:
        return [f"Wiped on {found['wiped']['at']}: {printable(found['wiped']['sentence'], 500)}"]
    if not found["enrolled"]:
        return ["Not enrolled."]
    text = [
        f"Enrolled with {printable(found['organisation'])} as device {found['device']}",
        f"Gateway       {found['gateway']}",
        f"Certificate   until {found['certificate_until']}",
        f"Last contact  {found['last_contact'] or 'never'}",
    ]
    if found["last_error"]:
        text.append(f"Trouble       {printable(found['last_error'], 500)}")
    if found["root"] != "/":
        text.append(f"Root          {found['root']}")
    known = f"roster {found['roster']}" if found["roster"] else "no roster yet: no order can wipe this device"
    text.append(f"Approvers     {known}")
    if found["presence"]:
        text.append(f"Presence      {found['presence']['code']} for {found['presence']['seconds']} seconds")
    states = [record["state"] for record in found["resources"].values()]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    text.append(f"Desired state {found['desired']}: {counts or 'nothing is wanted'}")
    text += [
        f"  {printable(name)}: {record['state']}. {printable(record['detail'], 300)}"
        for name, record in found["resources"].items()
        if record["state"] not in ("applied", "staged")
    ]
    text += [f"Changed by another hand: {printable(path)}" for path in found["tampered"]]
    if found["waiting_reports"]:
        text.append(f"Waiting       {found['waiting_reports']} reports for the gateway")
    if found["lock"]:
        text.append(f"Locked        since {found['lock']['since']} {printable(found['lock'].get('text'))}".rstrip())
    text += [f"Message       {message['at']} {printable(message['text'], 2000)}" for message in found["messages"][-5:]]
    return text
