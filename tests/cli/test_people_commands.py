"""What operators type about people: who was taken over, and which lines were refused."""

from __future__ import annotations

from pathlib import Path

import bcrypt

from tests.accounts.people import new_address, person_of, signed_in, somebody
from tests.portal import Committed


def test_people_are_imported_with_their_bcrypt_hashes_and_bad_lines_are_named(
    committed: Committed, tmp_path: Path
) -> None:
    new, known = new_address(), new_address()
    somebody(known)
    old = bcrypt.hashpw(b"imported secret", bcrypt.gensalt(4)).decode()
    file = tmp_path / "people.csv"
    file.write_text(
        "email,name,password_hash\n"
        f"{new},Old Customer,{old}\n"
        f"{known},Somebody Known,{old}\n"
        f"{new_address()},No Hash,plain text\n"
        f"not an address,Nobody,{old}\n",
        encoding="utf-8",
    )
    said = committed.app.test_cli_runner().invoke(args=["import-users", str(file)])
    assert said.exit_code == 1
    lines = said.output.splitlines()
    assert lines[-1] == "1 people taken over, 3 lines refused"
    assert [line.split(":")[0] for line in lines[:-1]] == ["line 3", "line 4", "line 5"]
    assert person_of(signed_in(new, password="imported secret")).email == new
