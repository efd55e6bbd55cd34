"""The short-lived child process that fetches a release by the rules of The Update Framework: run as a script, it reads one
JSON request from standard input, writes one JSON answer and ends. So the resident process never pays for the library.

    {"gateway", "ca", "chain", "key", "bootstrap", "folder", "name", "version", "address"}
        → {"placed": version} or {"refused": word, "sentence": text}; with an empty ``version`` only the list of releases
          is looked at → {"looked": true} or the same refusals

Words: ``frozen`` (a document is too old: somebody may hold us at an old state), ``older`` (an older document than one that we
have seen), ``unsigned``, ``changed`` (a file is not the one that was signed), ``unknown`` (no such release), ``away`` (the
gateway does not answer), ``broken`` (what was signed cannot be used here), ``full``.
"""

import errno
import http.client
import io
import json
import os
import shutil
import ssl
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MAX_TARGET = 64 * 1024 * 1024
MAX_FILES = 4000
MAX_UNPACKED = 256 * 1024 * 1024
SECONDS = 30


class RefusedError(Exception):
    """It is not installed; ``word`` says why."""

    def __init__(self, word: str, sentence: str) -> None:
        self.word = word
        super().__init__(sentence)


def fetcher(request: dict[str, Any]) -> Any:
    """Fetches over our own certificate, from our gateway alone."""
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient.fetcher import FetcherInterface

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=request["ca"])
    context.load_cert_chain(request["chain"], request["key"])
    gateway = urlsplit(request["gateway"])

    class Fetcher(FetcherInterface):
        def _fetch(self, url: str) -> Iterator[bytes]:
            connection = http.client.HTTPSConnection(
                gateway.hostname or "", gateway.port or 443, context=context, timeout=SECONDS
            )
            try:
                connection.request("GET", urlsplit(url).path)
                answer = connection.getresponse()
                if answer.status != 200:
                    raise DownloadHTTPError(f"{url} was answered {answer.status}", answer.status)
                while block := answer.read(65536):
                    yield block
            finally:
                connection.close()

    return Fetcher()


def fetch(request: dict[str, Any]) -> bytes:
    """The release's file, once every rule is kept; nothing where no version was asked for. Raises RefusedError."""
    from tuf.api import exceptions
    from tuf.ngclient import Updater, UpdaterConfig

    folder = Path(request["folder"])
    metadata = folder / "trusted"
    metadata.mkdir(mode=0o700, parents=True, exist_ok=True)
    base = request["gateway"] + request["address"]
    try:
        updater = Updater(
            str(metadata),
            base + "metadata/",
            str(folder),
            base + "targets/",
            fetcher=fetcher(request),
            config=UpdaterConfig(max_root_rotations=256),
            bootstrap=Path(request["bootstrap"]).read_bytes(),
        )
        updater.refresh()
        if not request["version"]:
            return b""
        found = updater.get_targetinfo(request["name"])
        if found is None:
            raise RefusedError("unknown", f"no release {request['version']} is published")
        if found.length > MAX_TARGET or (found.custom or {}).get("version") != request["version"]:
            raise RefusedError("broken", "the release is not what its name says")
        path = updater.download_target(found, str(folder / ".download"))
    except exceptions.ExpiredMetadataError as trouble:
        raise RefusedError("frozen", f"the list of releases is too old: {trouble}") from trouble
    except exceptions.BadVersionNumberError as trouble:
        raise RefusedError("older", f"the list of releases is older than one that was seen: {trouble}") from trouble
    except exceptions.UnsignedMetadataError as trouble:
        raise RefusedError("unsigned", f"the list of releases is not signed by who may: {trouble}") from trouble
    except exceptions.LengthOrHashMismatchError as trouble:
        raise RefusedError("changed", f"a file is not the one that was signed: {trouble}") from trouble
    except exceptions.RepositoryError as trouble:
        raise RefusedError("unsigned", f"the list of releases cannot be trusted: {trouble}") from trouble
    except exceptions.DownloadLengthMismatchError as trouble:
        raise RefusedError("changed", f"a file is longer than the one that was signed: {trouble}") from trouble
    except exceptions.DownloadHTTPError as trouble:
        raise RefusedError("missing", f"the gateway lacks a document: {trouble}") from trouble
    except exceptions.DownloadError as trouble:
        raise RefusedError("away", f"the gateway does not answer: {trouble}") from trouble
    try:
        return Path(path).read_bytes()
    finally:
        Path(path).unlink(missing_ok=True)


def unpack(data: bytes, place: Path) -> None:
    """Writes the files of a release; only plain files below the place, only so many, only so large."""
    total = 0
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        for number, member in enumerate(tar):
            parts = Path(member.name).parts
            total += member.size
            if number > MAX_FILES or total > MAX_UNPACKED or ".." in parts or Path(member.name).is_absolute():
                raise RefusedError("broken", "the release holds what it may not")
            if member.isdir():
                continue
            source = tar.extractfile(member) if member.isreg() else None
            if source is None or not parts or parts[0] not in ("agent", "vendor"):
                raise RefusedError("broken", "the release holds what it may not")
            target = place / member.name
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(source, file)
                os.fchmod(file.fileno(), stat.S_IMODE(member.mode) & 0o755 | 0o444)
                file.flush()
                os.fsync(file.fileno())


def prove(place: Path, vendor: str, version: str) -> None:
    """Has the new release say its version, load every module that a round needs, and make a key: before it is in force."""
    own = place / "vendor"
    paths = [str(place), str(own) if own.is_dir() else vendor]
    script = (
        f"import sys; sys.dont_write_bytecode = True; sys.path[:0] = {paths!r}\n"
        "import agent, agent.main, agent.loop, agent.exchange, agent.enroll, agent.update, agent.programs\n"
        "assert agent.programs.crypto({'do': 'key'})['key']\n"
        "print(agent.VERSION)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        raise RefusedError("broken", "the release does not start in time") from None
    if done.returncode != 0 or done.stdout.strip() != version:
        said = done.stderr.strip().rsplit("\n", 1)[-1][-300:]
        raise RefusedError("broken", f"the release does not start here: {said or done.stdout.strip()[:100]}")


def place(request: dict[str, Any]) -> dict[str, Any]:
    """Fetches, writes beside what is there, proves; then the folder gets its name, in one step."""
    folder, version = Path(request["folder"]), request["version"]
    data = fetch(request)
    if not version:
        return {"looked": True}
    fresh, final = folder / f".{version}.new", folder / version
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(mode=0o755, parents=True)
        unpack(data, fresh)
        prove(fresh, request["vendor"], version)
        shutil.rmtree(final, ignore_errors=True)
        fresh.replace(final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return {"placed": version}


def main() -> int:
    """One request."""
    request = json.loads(sys.stdin.buffer.read())
    try:
        answer = place(request)
    except RefusedError as refused:
        answer = {"refused": refused.word, "sentence": str(refused)}
    except (OSError, tarfile.TarError, EOFError) as trouble:
        full = getattr(trouble, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        answer = {"refused": "full" if full else "broken", "sentence": str(trouble)[:500]}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    # The agent's folder and the libraries' are given on the command line; they come before what the machine has.
    sys.path[:0] = sys.argv[1:]
    sys.exit(main())
