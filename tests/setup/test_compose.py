"""docker-compose.yml says the same as the start command's table of processes."""

import re
from typing import Any

import pytest
import yaml

from supervisor.processes import MIGRATE, PROCESSES, Process, Role
from supervisor.settings import ROOT

PLACES = {"bind": "0.0.0.0", "port": 8000, "socket_port": 8001, "sandbox_port": 8002}  # noqa: S104


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.mark.parametrize("row", [*PROCESSES, MIGRATE], ids=lambda row: str(row.name))
def test_each_process_runs_with_the_same_command(compose: dict[str, Any], row: Process) -> None:
    service = compose["services"][row.name]
    assert service["command"] == ["python", *row.argv(**PLACES)]
    assert service.get("stop_signal", "SIGTERM") == row.stop_signal.name


def test_there_are_no_services_without_a_process(compose: dict[str, Any]) -> None:
    stores_and_setup = {"db", "redis", "roles"}
    assert set(compose["services"]) == stores_and_setup | {
        row.name for row in (*PROCESSES, MIGRATE)
    }


@pytest.mark.parametrize(
    "row", [row for row in PROCESSES if row.role is not Role.NONE], ids=lambda row: str(row.name)
)
def test_each_process_signs_in_with_its_own_role(compose: dict[str, Any], row: Process) -> None:
    env = compose["services"][row.name]["environment"]
    assert f"//{row.role}:" in env["DATABASE_URL"]
    assert "DATABASE_OWNER_URL" not in env
    assert ("DATABASE_ADMIN_URL" in env) == (row.role is Role.WEB)


def test_every_setting_it_uses_is_in_the_example(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{([A-Z_]+)", text))
    for service in compose["services"].values():
        used |= set(service.get("environment", {}))
    known = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used - known == {"POSTGRES_INITDB_ARGS"}


def test_what_answers_is_asked_for_its_health(compose: dict[str, Any]) -> None:
    for row in PROCESSES:
        check = compose["services"][row.name].get("healthcheck")
        assert (check is not None) == (row.answers is not None)
        if row.answers is not None:
            assert check["test"][-1] == row.answers.format(**PLACES)


def test_data_lives_in_named_volumes(compose: dict[str, Any]) -> None:
    mounted = {
        mount.split(":")[0]
        for service in compose["services"].values()
        for mount in service.get("volumes", [])
    }
    assert mounted == set(compose["volumes"])


def test_ports_are_open_to_this_machine_alone(compose: dict[str, Any]) -> None:
    ports = [p for service in compose["services"].values() for p in service.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_the_image_runs_as_an_ordinary_user_with_the_web_command() -> None:
    text = (ROOT / "Dockerfile").read_text()
    web = next(row for row in PROCESSES if row.name == "web")
    words = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert words is not None
    assert yaml.safe_load(words.group(1)) == ["python", *web.argv(**PLACES)]
    assert "USER paydeck" in text.split("CMD")[0]
