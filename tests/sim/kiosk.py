"""A kiosk for tests: a real OpenSSH server on a free port, with a home folder and a root folder of its own.

Whatever is run over SSH runs in that home; ``hook`` is a piece of shell that runs before it, so that a kiosk can misbehave.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from tests.conftest import free_port
from tests.sim.machine import plant

SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else "")


class Kiosk:
    """One kiosk. ``start`` and ``stop`` switch it on and off; ``fingerprint`` is printed on its label."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.home, self.root = folder, folder / "home", folder / "root"
        self.port = free_port()
        self.account = getpass.getuser()
        serial = self.serial = f"KIOSK{self.port}"
        (self.home / ".ssh").mkdir(parents=True, mode=0o700)
        self.keys = self.home / ".ssh" / "authorized_keys"
        self.keys.write_text("# keys of this kiosk\n")
        self.keys.chmod(0o600)
        plant(self.root, {"sys/class/dmi/id/product_serial": serial + "\n", "etc/hostname": f"{serial.lower()}\n"})
        self.new_host_key()
        self.banner = folder / "banner"
        self.banner.write_text("")
        self.hook("")
        self.extra = ""
        self.address = "127.0.0.1"
        self.before: tuple[str, ...] = ()
        """Words before the server's own command: how it and all that it runs is scheduled."""
        self.process: subprocess.Popen[bytes] | None = None

    def new_host_key(self) -> None:
        """Makes another host key; the label is printed anew."""
        key = self.folder / "host_key"
        key.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        said = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], check=True, capture_output=True, text=True)
        self.label = said.stdout.strip()
        self.fingerprint = said.stdout.split()[1]

    def hook(self, shell: str) -> None:
        """What the kiosk does before it does what it is asked."""
        script = self.folder / "shell.sh"
        script.write_text(
            f"export HOME='{self.home}'\ncd \"$HOME\" || exit 1\nexport PATH=/usr/local/bin:/usr/bin:/bin\n{shell}\n"
            'exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
        )

    def trust(self, line: str) -> None:
        """Adds a line to the authorized keys."""
        with self.keys.open("a") as file:
            file.write(line + "\n")

    def start(self) -> "Kiosk":
        """Switches it on; returns when it answers."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress {self.address}\nHostKey {self.folder / 'host_key'}\nPidFile none\n"
            f"AuthorizedKeysFile {self.keys}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            f"KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nLogLevel DEBUG1\n"
            # The account's own shell looks for its settings at the kiosk's home, and not at whoever runs the tests.
            f"SetEnv HOME={self.home}\nForceCommand /bin/sh {self.folder / 'shell.sh'}\n"
            f"Banner {self.banner}\nMaxStartups 100\n{self.extra}"
        )
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, SSHD, "-D", "-e", "-f", config],
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(600):
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                socket.create_connection((self.address, self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        raise RuntimeError("sshd does not answer")

    def stop(self) -> None:
        """Switches it off at once, with every connection, as a power cut does."""
        if self.process is None:
            return
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for child in children:
            # A connection has a session of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(child), signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait(20)
        self.process = None

    @property
    def log(self) -> str:
        """What sshd wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def untouched(self) -> bool:
        """Whether nothing of ours is on it but the key that it was made with."""
        ours = [self.home / ".havenmeester-setup", *(self.root / path for path in OURS)]
        return not any(path.exists() for path in ours)


OURS = (
    "usr/bin/havenmeester-agent",
    "usr/lib/havenmeester-agent",
    "var/lib/havenmeester-agent",
    "usr/lib/systemd/system/havenmeester-agent.service",
    "etc/systemd/system/multi-user.target.wants/havenmeester-agent.service",
)


class Wire:
    """Stands between us and a kiosk and writes down every byte that we send; ``cut`` ends all connections."""

    def __init__(self, port: int) -> None:
        self.target, self.sent = port, b""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.open: list[socket.socket] = []
        self.cut_after: int | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self.server.accept()
                there = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.open += [here, there]
            threading.Thread(target=self._copy, args=(here, there, True), daemon=True).start()
            threading.Thread(target=self._copy, args=(there, here, False), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, ours: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                if ours:
                    self.sent += block
                    if self.cut_after is not None and len(self.sent) > self.cut_after:
                        self.cut_after = None
                        self.cut()
                        return
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Ends every connection, as a kiosk that starts again does."""
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open = []

    def close(self) -> None:
        """Ends it."""
        self.server.close()
        self.cut()
