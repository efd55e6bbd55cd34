"""The examples of ``docs/api.md`` are run as they stand."""

import re
import shlex
from pathlib import Path

from tests.api.city import City
from tests.api.conftest import Api

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"


def examples() -> list[str]:
    """Every curl command of the guide, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    text = "".join(blocks).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.startswith("curl ")]


def test_every_example_of_the_guide_works(api: Api, city: City) -> None:
    person = f"/people/{city.person['own']}"
    words = {
        "API": "",
        "TOKEN": str(api.token),
        "PLACE": "SP-own",
        "PERSON": str(city.person["own"]),
        "DEVICE": city.device["own"],
        "ETAG": api.get(person).headers["ETag"].replace('"', '\\"'),
    }
    for example in examples():
        line = re.sub(r"\$'(.*?)'", lambda match: shlex.quote(match[1].replace("\\n", "\n")), example)
        line = re.sub(r"\$([A-Z]+)", lambda match: words[match[1]], line)
        parts = shlex.split(line)[1:]
        method, headers, body, address = "GET", {}, None, ""
        while parts:
            part = parts.pop(0)
            if part == "-X":
                method = parts.pop(0)
            elif part == "-H":
                name, _, value = parts.pop(0).partition(": ")
                headers[name] = value
            elif part in ("-d", "--data-binary"):
                body = parts.pop(0)
            else:
                address = part
        answer = api.client.open(address, method=method, headers=headers, data=body)
        assert answer.status_code in (200, 201), f"{example}\n{answer.text}"
    assert len(examples()) == 10


def test_the_guide_lists_every_status_that_the_document_knows(api: Api) -> None:
    listed = set(re.findall(r"\b[45]\d\d\b", GUIDE.read_text(encoding="utf-8")))
    known = {
        status
        for items in api.get("/openapi.json").json["paths"].values()
        for item in items.values()
        for status in item["responses"]
        if status >= "400"
    }

    assert known - {"500"} <= listed
