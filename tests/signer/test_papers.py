"""Papers: statements that go from hand to hand, the stand-alone approver, and the roster from the command line."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.crypto import holds
from agent.proof import check_proof, read_roster
from mdm.cli.main import run
from mdm.core.errors import HavenmeesterError, InvalidError
from mdm.signing import keyfile, papers
from mdm.signing.client import SignerClient
from tests.signer.neighbour import RunningSigner
from tests.sim.approvers import Council, text_of

Ask = Callable[..., tuple[int, str, str]]
WORD = "correct horse battery"
DEVICE = "5e" * 16
NAMES = ("ada", "bo", "cas")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs a command: exit code, what it printed, what it noted."""
    monkeypatch.setenv("HAVENMEESTER_KEY_PASSPHRASE", WORD)

    def one(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return one


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An approver's key file."""
    path = tmp_path / "ada.key"
    keyfile.create(path, WORD)
    return path


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> Iterator[Path]:
    """An installation with a running signer, three approvers and their key files."""
    home = tmp_path / "home"
    monkeypatch.setenv("HAVENMEESTER_HOME", str(home))
    ask("init")
    signer = RunningSigner(home)
    signer.start()
    for name in NAMES:
        assert ask("operator", "add", f"{name}@stad.be", "--role", "approver")[0] == 0
        assert ask("key", "new", tmp_path / name)[0] == 0
    yield tmp_path
    signer.stop()


def _order(tmp_path: Path, **changes: object) -> tuple[Path, str]:
    text = text_of(Council.order(DEVICE, "ab" * 32, **changes))
    file = tmp_path / "order.json"
    file.write_text(json.dumps({"order": text, "signature": "", "approvals": [], "rosters": []}))
    return file, text


def test_a_key_file_is_encrypted_for_its_owner_and_opens_with_its_passphrase_alone(tmp_path: Path, key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in key.read_bytes()
    keyfile.read_private(key, WORD)

    for wrong in ("", "correct horse batterz", WORD + " "):
        with pytest.raises(InvalidError) as refused:
            keyfile.read_private(key, wrong)
        assert refused.value.code == "passphrase"
    with pytest.raises(HavenmeesterError):
        keyfile.create(key, WORD)
    with pytest.raises(InvalidError):
        keyfile.create(tmp_path / "other", "too short")
    assert not (tmp_path / "other").exists()


def test_another_program_reads_the_key_file_too(key: Path) -> None:
    told = subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-passin", f"pass:{WORD}", "-pubout"],
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert told.stdout == keyfile.public_path(key).read_bytes()


def test_an_order_is_shown_in_plain_words_and_signed_without_an_installation(
    tmp_path: Path, key: Path, ask: Ask
) -> None:
    file, text = _order(tmp_path)

    code, out, told = ask("approve", file, "--key", key, "--person", "operator:21", "--yes")

    assert code == 0, told
    for word in ("WIPE one device", DEVICE, "WINKEL-1", "Stolen from a van", "Mo Admin (operator:1)", "UTC to"):
        assert word in told
    proof = json.loads(out)
    public = keyfile.roster_key(keyfile.read_public(keyfile.public_path(key)))
    who = {"from": 1, "keys": [public], "name": "Ada", "person": "operator:21", "places": ["*"]}
    other = {**who, "person": "operator:22", "keys": [Council().people[0].keys[0].entry()]}
    roster = read_roster(text_of(json.loads(Council().rosters[0]["roster"]) | {"approvers": [who, other]}))
    assert check_proof(proof, text, roster, holds) == "operator:21"


def test_it_needs_no_home_no_database_and_no_signer(tmp_path: Path, key: Path) -> None:
    file, _ = _order(tmp_path)
    script = (
        "import sys; from mdm.cli.main import run; code = run(sys.argv[1:]);"
        "assert not {'sqlalchemy', 'flask', 'mdm.signing.client'} & set(sys.modules); sys.exit(code)"
    )
    arguments = ["approve", str(file), "--key", str(key), "--person", "operator:2", "--yes"]
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env={"HAVENMEESTER_HOME": "/nowhere", "HAVENMEESTER_KEY_PASSPHRASE": WORD, "PATH": ""},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["person"] == "operator:2"


def test_who_types_something_else_signs_nothing(
    tmp_path: Path, key: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = _order(tmp_path)

    for typed, code in (("everything", 1), (DEVICE[:8], 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
        done, out, _ = ask("approve", file, "--key", key, "--person", "operator:21")
        assert done == code
        assert bool(out) is (code == 0)


def test_what_a_file_says_beside_the_order_is_shown_as_unsigned(tmp_path: Path, key: Path, ask: Ask) -> None:
    file, _ = _order(tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"serial": "PF-1\u202e\x1b[2J"}))

    _, _, told = ask("approve", file, "--key", key, "--person", "operator:21", "--yes")

    assert "not signed" in told
    assert "\x1b" not in told
    assert "\u202e" not in told


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "not json", '{"order":""}', '{"order":7}', '{"kind":"order"}', "[" * 3000, '{"statement":"{}"}'],
)
def test_a_file_that_holds_no_statement_is_refused_and_the_passphrase_is_not_asked(
    tmp_path: Path, key: Path, ask: Ask, content: str
) -> None:
    file = tmp_path / "order.json"
    file.write_text(content)

    code, out, told = ask("approve", file, "--key", key, "--person", "operator:21", "--yes")

    assert (code, out) == (1, "")
    assert told


_WORDS = st.sampled_from(
    ["kind", "order", "batch", "orders", "statement", "proofs", "rosters", "roster", "serial", "approvers", "{}", "[]"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8) | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)


@given(value=_JSON, more=_JSON)
def test_whatever_a_file_holds_it_is_a_paper_or_is_refused_with_a_sentence(value: object, more: object) -> None:
    order = text_of(Council.order(DEVICE, "ab" * 32))
    for content in (value, {"order": order, "rosters": value, "orders": more, "proofs": value, "serial": more}):
        try:
            paper = papers.read_paper(json.dumps(content).encode())
        except HavenmeesterError:
            continue
        assert papers.lines(paper, 0)
        assert papers.whose("ab" * 16, list(paper.rosters)) is None
        assert papers.read_paper(paper.written().encode()).text == paper.text


def test_an_order_in_another_spelling_is_not_signed(tmp_path: Path, key: Path, ask: Ask) -> None:
    file, text = _order(tmp_path)
    file.write_text(json.dumps({"order": text.replace(",", ", ", 1)}))

    assert ask("approve", file, "--key", key, "--person", "operator:21", "--yes")[0] == 1


def test_a_batch_is_signed_as_a_whole_and_says_what_it_does_not_show(tmp_path: Path, key: Path, ask: Ask) -> None:
    orders = [text_of(Council.order(DEVICE, "ab" * 32)) for _ in range(3)]
    batch = text_of(Council.batch(orders))
    file = tmp_path / "order.json"
    file.write_text(json.dumps({"order": orders[0], "batch": batch, "approvals": [], "rosters": [], "signature": ""}))

    code, out, told = ask("approve", file, "--key", key, "--person", "operator:21", "--yes")

    assert code == 0
    assert "WIPE 3 devices" in told
    assert "2 devices: their orders are not in this file" in told
    assert papers.word(papers.read_paper(file.read_bytes()))[1] == "3"
    proof = keyfile.sign(keyfile.read_private(key, WORD), "operator:21", batch)
    assert json.loads(out) == proof


def test_an_act_is_shown_with_what_it_does_and_every_argument(tmp_path: Path, key: Path, ask: Ask) -> None:
    now = int(time.time())
    file = tmp_path / "act.json"
    file.write_text(
        text_of(
            {
                "args": {"role": "fleet_admin"},
                "id": "ab" * 16,
                "kind": "act",
                "not_after": now + 60,
                "not_before": now,
                "reason": "Leave",
                "requested_by": "Mo Admin",
                "requester": "operator:1",
                "subject": "operator 7",
                "v": 1,
                "verb": "role_give",
            }
        )
    )

    code, out, told = ask("approve", file, "--key", key, "--person", "operator:21", "--yes")

    assert code == 0, told
    for word in ("role_give", "operator 7", '"fleet_admin"', "Leave", "Mo Admin"):
        assert word in told
    assert json.loads(out)["person"] == "operator:21"
    assert file.read_text().startswith('{"args"')


def test_a_roster_is_founded_once_and_changed_by_papers(installation: Path, ask: Ask) -> None:
    pubs = [f"--approver={name}@stad.be={installation / name}.pub" for name in NAMES]
    assert ask("roster", "show")[0] == 1
    assert "in force" in ask("roster", "found", *pubs)[1]
    assert ask("roster", "found", *pubs[:2])[0] == 1
    client = SignerClient(installation / "home" / "run" / "signer.sock")
    first = client.rosters()
    paper = installation / "second.json"

    assert ask("roster", "propose", "--remove", "cas@stad.be", "--threshold", "2", "--write", paper)[0] == 0
    assert ask("approve", paper, "--key", installation / "ada", "--yes")[0] == 0
    assert ask("roster", "submit", paper)[0] == 1
    assert client.rosters() == first
    assert ask("approve", paper, "--key", installation / "bo", "--yes")[0] == 0
    assert ask("roster", "submit", paper)[0] == 0

    assert client.health().roster == 2
    shown = ask("roster", "show")[1]
    assert "ada" in shown
    assert "cas" not in shown


def test_a_founding_waits_in_a_paper_until_enough_people_have_signed(installation: Path, ask: Ask) -> None:
    paper = installation / "first.json"
    for name in NAMES[1:]:
        (installation / name).rename(installation / f"{name}.elsewhere")
    pubs = [f"--approver={name}@stad.be={installation / name}.pub" for name in NAMES]

    _, out, _ = ask("roster", "found", *pubs, "--write", paper)
    assert "1 more signature" in out
    assert ask("roster", "submit", paper)[0] == 1
    assert ask("approve", paper, "--key", installation / "bo.elsewhere", "--yes")[0] == 0

    assert ask("roster", "submit", paper)[0] == 0


def test_the_red_button_and_budgets_from_the_command_line(installation: Path, ask: Ask) -> None:
    ask("roster", "found", *[f"--approver={name}@stad.be={installation / name}.pub" for name in NAMES])
    known, client = installation / "roster.json", SignerClient(installation / "home" / "run" / "signer.sock")
    known.write_text(ask("roster", "show", "--json")[1])
    assert ask("signer", "freeze", "Something is wrong.")[0] == 0
    assert client.health().frozen

    for name, arguments in (("thaw", ()), ("budgets", ("--set", "place_day=20"))):
        paper = installation / f"{name}.json"
        assert ask("signer", name, *arguments, "--write", paper)[0] == 0
        assert ask("signer", name, "--submit", paper)[0] == 1
        for who in NAMES[:2]:
            assert ask("approve", paper, "--key", installation / who, "--roster", known, "--yes")[0] == 0
        assert ask("signer", name, "--submit", paper)[0] == 0

    assert not client.health().frozen
    assert client.health().budgets["place_day"] == 20
    assert "budget place day" in ask("signer", "status")[1]
