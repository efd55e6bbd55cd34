"""The signer as a user of its own: what console and gateway are, may neither read its keys nor write its ledger."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.signer.neighbour import RunningSigner

NOBODY = 65534
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

# Everything is imported before the user changes, because a working copy may be closed to others; then the doors' own code
# tries whatever it can reach.
INTRUDER = """
import os, sqlite3, sys
from pathlib import Path
import web.console.app, web.api.app, web.gateway.app, web.gateway.identity, mdm.worker.main
from mdm.core.errors import HavenmeesterError
from mdm.settings import Settings
from mdm.signer import keys
from mdm.signer.ledger import Ledger
from mdm.signing.client import SignerClient

home, socket = Path(sys.argv[1]), Path(sys.argv[2])
os.setgroups([]); os.setgid(65534); os.setuid(65534)

def refused(what):
    try:
        what()
    except (OSError, HavenmeesterError, sqlite3.Error):
        return True
    return False

folder = home / "signer"
tried = [
    lambda: keys.load(home),
    lambda: keys.founding_secret(home),
    lambda: keys.encrypt(home, None),
    lambda: keys.create(home, "Antwerpen"),
    lambda: Ledger(folder),
    lambda: sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True).execute("SELECT * FROM signed_order"),
    lambda: list(folder.iterdir()),
    lambda: folder.chmod(0o777),
    lambda: (home / "mine").touch(),
    lambda: folder.rename(home / "other"),
    *(lambda name=name: (folder / name).read_bytes() for name in (*keys.PRIVATE, "founding", "ledger.db", "ca.pem")),
    *(lambda name=name: (folder / name).unlink() for name in (*keys.PRIVATE, "ledger.db")),
]
assert all([refused(what) for what in tried]), [refused(what) for what in tried]
settings = Settings(home=Path("/nonexistent"), signer_path=str(socket))
print(SignerClient(settings.signer_socket).ca().fingerprint)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, as /var/lib is."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_the_code_of_console_gateway_and_worker_reads_no_key_and_still_gets_its_answers(open_folder: Path) -> None:
    signer = RunningSigner(open_folder, {"HAVENMEESTER_SIGNER_PEERS": str(NOBODY)})
    signer.start()
    try:
        before = {path.name: path.stat() for path in (open_folder / "signer").iterdir()}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", INTRUDER, str(open_folder), str(signer.socket)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == signer.client.ca().fingerprint
        after = {path.name: path.stat() for path in (open_folder / "signer").iterdir()}
        assert {name: (one.st_mode, one.st_uid) for name, one in before.items()} == {
            name: (one.st_mode, one.st_uid) for name, one in after.items()
        }
    finally:
        signer.stop()


def test_as_the_signers_own_user_the_same_code_would_read_them(open_folder: Path) -> None:
    """The twin: it is the user that keeps them out, and the intruder tries the right doors."""
    signer = RunningSigner(open_folder)
    signer.start()
    try:
        script = INTRUDER.replace("os.setgroups([]); os.setgid(65534); os.setuid(65534)", "")
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, str(open_folder), str(signer.socket)],
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 1
        assert b"AssertionError" in done.stderr
    finally:
        signer.stop()
