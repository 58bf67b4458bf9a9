"""The provider's published description of its objects, fetched once into the cache folder."""

import json
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).parents[2]
WHEEL_LIST = Path(__file__).with_name("spec-wheel.txt")
CACHE = ROOT / ".cache" / "contract"
SPEC = "seahaven_stripe_world/spec/spec3.json"


def fetch_wheel() -> Path:
    """The pinned wheel, fetched when it is not in the cache; fails when it cannot be fetched."""
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.14", "--require-hashes"]
    command += ["--disable-pip-version-check", "--dest", str(CACHE), "-r", str(WHEEL_LIST)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, f"the provider's description was not fetched: {ended.stderr}"
    (wheel,) = CACHE.glob("*.whl")
    return wheel


@cache
def schemas() -> dict[str, Any]:
    """Every schema of the description, with `nullable` turned into what JSON Schema knows."""
    with zipfile.ZipFile(fetch_wheel()) as wheel:
        spec = json.loads(wheel.read(SPEC))
    found: dict[str, Any] = _plain({"components": {"schemas": spec["components"]["schemas"]}})
    return found


def _plain(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_plain(entry) for entry in tree]
    if not isinstance(tree, dict):
        return tree
    plain = {name: _plain(value) for name, value in tree.items() if name != "nullable"}
    if tree.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


@cache
def _registry() -> Registry[Any]:
    empty: Registry[Any] = Registry()
    filled: Registry[Any] = empty.with_resource("urn:spec", DRAFT202012.create_resource(schemas()))
    return filled


def faults_of(kind: str, body: Any) -> list[str]:
    """What is wrong with the body as an object of that kind: place and sentence."""
    checker = Draft202012Validator(
        {"$ref": f"urn:spec#/components/schemas/{kind}"}, registry=_registry()
    )
    return [
        f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}"
        for fault in checker.iter_errors(body)
    ]


def unknown_fields(kind: str, body: dict[str, Any]) -> set[str]:
    """Fields of the body that the description does not know."""
    return set(body) - set(schemas()["components"]["schemas"][kind]["properties"])
