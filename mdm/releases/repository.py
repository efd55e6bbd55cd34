"""The repository of releases: files after The Update Framework 1.0, written here and served by the gateway as they are.

``metadata/N.root.json``, ``N.targets.json``, ``N.snapshot.json``, ``timestamp.json``; ``targets/HASH.NAME``. Every file is
written whole and before the one that names it, so that a device that fetches meanwhile sees the old state or the new one.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from mdm.core.errors import N_, ConfigurationError, ConflictError, InvalidError
from mdm.releases import keys

LIFETIME: Final = {
    "root": timedelta(days=730),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=14),
    "timestamp": timedelta(days=3),
}
"""How long devices believe a document. A device that is shown an old list for longer notices it."""
ROOT_KEYS: Final = 3
ROOT_THRESHOLD: Final = 2


@dataclass(frozen=True, slots=True)
class Published:
    """One file that devices may install."""

    name: str
    version: str
    sha256: str
    size: int


class Repository:
    """One repository on the disk. ``online`` is the folder with the keys of snapshot and timestamp."""

    def __init__(self, folder: Path, online: Path) -> None:
        self.metadata, self.targets_folder, self.online = folder / "metadata", folder / "targets", online

    @property
    def founded(self) -> bool:
        """Whether there is a repository."""
        return (self.metadata / "timestamp.json").exists()

    # Reading

    def _newest(self, role: str) -> int:
        numbers = [
            int(path.name.split(".")[0]) for path in self.metadata.glob(f"*.{role}.json") if path.name[0].isdigit()
        ]
        if not numbers:
            raise ConfigurationError(
                "There are no releases in this installation.",
                mend="Found them: havenmeester release found --keys FOLDER",
            )
        return max(numbers)

    def _read(self, name: str) -> Metadata[Any]:
        try:
            return Metadata.from_file(str(self.metadata / name))
        except (OSError, DeserializationError, RepositoryError) as error:
            raise ConfigurationError(
                "The document %(name)s of the releases cannot be read.",
                name=name,
                mend="Put the folder releases back from the backup of this installation.",
            ) from error

    def root(self) -> Metadata[Root]:
        """The newest root."""
        return self._read(f"{self._newest('root')}.root.json")

    def targets(self) -> Metadata[Targets]:
        """The newest list of releases."""
        return self._read(f"{self._newest('targets')}.targets.json")

    def believed_until(self) -> datetime:
        """Until when devices believe what is listed now, if nothing is signed anew."""
        expires: datetime = self._read("timestamp.json").signed.expires
        return expires

    def published(self) -> list[Published]:
        """Everything that devices may install."""
        return [
            Published(path, str((found.custom or {}).get("version", "")), found.hashes["sha256"], found.length)
            for path, found in sorted(self.targets().signed.targets.items())
        ]

    # Founding and rotating

    def found(self, offline: Path, passphrase: str, now: datetime) -> None:
        """Makes every key and the first documents. Raises ConflictError where there is a repository already."""
        if self.founded or (self.metadata / "1.root.json").exists():
            raise ConflictError(N_("Releases were founded already. Nothing was changed."), code="releases_founded")
        root = Root(version=1, expires=_until("root", now), consistent_snapshot=True)
        holders = [keys.make(offline, f"root-{number}", passphrase) for number in range(1, ROOT_KEYS + 1)]
        for signer in holders:
            root.add_key(signer.public_key, "root")
        root.roles["root"].threshold = ROOT_THRESHOLD
        editor = keys.make(offline, "targets-1", passphrase)
        root.add_key(editor.public_key, "targets")
        for role in keys.ONLINE:
            root.add_key(keys.make(self.online, f"{role}-1", None).public_key, role)
        self._write("1.root.json", Metadata(root), holders)
        targets = Targets(version=1, expires=_until("targets", now))
        self._write("1.targets.json", Metadata(targets), [editor])
        self._list(1, now, whole=True)

    def rotate(self, role: str, offline: Path, passphrase: str, now: datetime) -> int:
        """A new key for a role instead of those that it has; the new root's version. The old keys prove nothing from then on.

        The root needs its own old keys once more: a new root is signed by enough of the old holders and of the new ones.
        """
        old = self.root()
        holders = keys.of_role(offline, "root", passphrase)
        before = [holders[key] for key in old.signed.roles["root"].keyids if key in holders]
        if len(before) < old.signed.roles["root"].threshold:
            raise InvalidError(
                N_("%(have)s of the root's keys are in this folder, %(need)s are needed. Nothing was changed."),
                code="root_keys_missing",
                have=len(before),
                need=old.signed.roles["root"].threshold,
            )
        root: Root = Root.from_dict(old.signed.to_dict())
        root.version, root.expires = old.signed.version + 1, _until("root", now)
        count = len(root.roles["root"].keyids) if role == "root" else 1
        folder, secret = (offline, passphrase) if role in keys.OFFLINE else (self.online, None)
        fresh = [keys.make(folder, keys.next_name(folder, role), secret) for _ in range(count)]
        for key in list(root.roles[role].keyids):
            root.revoke_key(key, role)
        for signer in fresh:
            root.add_key(signer.public_key, role)
        after = fresh if role == "root" else before
        self._write(f"{root.version}.root.json", Metadata(root), {id(s): s for s in (*before, *after)}.values())
        if role == "targets":
            listed = self.targets()
            listed.signed.version, listed.signed.expires = listed.signed.version + 1, _until("targets", now)
            self._write(f"{listed.signed.version}.targets.json", listed, fresh)
        self._list(self._newest("targets"), now, whole=True)
        return root.version

    # Publishing

    def add(
        self, name: str, data: bytes, custom: dict[str, str], offline: Path, passphrase: str, now: datetime
    ) -> Published:
        """Adds a file to the list. Raises ConflictError when its name or version is published already with other bytes."""
        listed = self.targets()
        made = TargetFile.from_data(name, data, ["sha256"])
        made.unrecognized_fields["custom"] = custom
        known = listed.signed.targets.get(name)
        if known is not None and known.hashes != made.hashes:
            raise ConflictError(
                N_("The version %(version)s is published already, and was another one. Give it another version."),
                code="release_exists",
                version=custom["version"],
            )
        if known is None:
            listed.signed.targets[name] = made
            listed.signed.version, listed.signed.expires = listed.signed.version + 1, _until("targets", now)
            signers = self._signers(offline, passphrase)
            self._place(self.targets_folder / f"{made.hashes['sha256']}.{name}", data)
            self._write(f"{listed.signed.version}.targets.json", listed, signers)
            self._list(listed.signed.version, now, whole=True)
        return Published(name, custom["version"], made.hashes["sha256"], made.length)

    def take_away(self, name: str, offline: Path, passphrase: str, now: datetime) -> None:
        """Takes a file off the list: no device installs it from then on. Twice is like once."""
        listed = self.targets()
        if listed.signed.targets.pop(name, None) is None:
            return
        listed.signed.version, listed.signed.expires = listed.signed.version + 1, _until("targets", now)
        self._write(f"{listed.signed.version}.targets.json", listed, self._signers(offline, passphrase))
        self._list(listed.signed.version, now, whole=True)

    def _signers(self, offline: Path, passphrase: str) -> list[CryptoSigner]:
        role = self.root().signed.roles["targets"]
        held = keys.of_role(offline, "targets", passphrase)
        signers = [held[key] for key in role.keyids if key in held]
        if len(signers) < role.threshold:
            raise InvalidError(
                N_("The key that publishes is not in this folder. Nothing was published."), code="targets_key_missing"
            )
        return signers

    # The two online documents

    def refresh(self, now: datetime) -> bool:
        """Signs anew what has lived half its life; whether it did. For the clock: needs the online keys alone."""
        if not self.founded:
            return False
        timestamp: Metadata[Timestamp] = self._read("timestamp.json")
        snapshot: Metadata[Snapshot] = self._read(f"{self._newest('snapshot')}.snapshot.json")
        old = [
            one
            for one, role in ((timestamp, "timestamp"), (snapshot, "snapshot"))
            if one.signed.expires - now < LIFETIME[role] / 2
        ]
        if old:
            self._list(self._newest("targets"), now, whole=snapshot in old)
        return bool(old)

    def _list(self, targets: int, now: datetime, *, whole: bool) -> None:
        """A new timestamp, and with ``whole`` a new snapshot before it."""
        first = not (self.metadata / "timestamp.json").exists()
        number = 0 if first else self._newest("snapshot")
        if whole:
            number += 1
            snapshot = Snapshot(
                version=number, expires=_until("snapshot", now), meta={"targets.json": MetaFile(targets)}
            )
            self._write(f"{number}.snapshot.json", Metadata(snapshot), self._online("snapshot"))
        before = 0 if first else self._read("timestamp.json").signed.version
        made = Timestamp(version=before + 1, expires=_until("timestamp", now), snapshot_meta=MetaFile(number))
        self._write("timestamp.json", Metadata(made), self._online("timestamp"))

    def _online(self, role: str) -> list[CryptoSigner]:
        held = keys.of_role(self.online, role, None)
        wanted = self.root().signed.roles[role].keyids
        signers = [held[key] for key in wanted if key in held]
        if not signers:
            raise ConfigurationError(
                "The key of the role %(role)s is not in %(folder)s.",
                role=role,
                folder=self.online,
                mend=f"Give the role another one: havenmeester release rotate {role} --keys FOLDER",
            )
        return signers

    def _write(self, name: str, document: Metadata[Any], signers: Iterable[CryptoSigner]) -> None:
        document.signatures.clear()
        for signer in signers:
            document.sign(signer, append=True)
        self._place(self.metadata / name, document.to_bytes())

    @staticmethod
    def _place(path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def _until(role: str, now: datetime) -> datetime:
    return (now + LIFETIME[role]).replace(microsecond=0)


def of_home(home: Path) -> Repository:
    """The repository of an installation."""
    return Repository(home / "releases" / "repository", home / "keys" / "releases")
