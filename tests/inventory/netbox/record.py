"""Brings up a real NetBox, writes the seed into it and records its answers, for the tests to be served again.

    python -m tests.inventory.netbox.record --venv DIR [--postgres DIR] [--redis FILE]

What must be there is said in bench/netbox_services.py. Everything runs on 127.0.0.1 and ends with this process; it
takes some five minutes. The answers go to recorded-VERSION/: `api.jsonl` has one line for each request that siaga's
import makes, `csv/` NetBox's own export of each list.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.netbox_services import NetBox, running
from tests.inventory.netbox.seed import LATER, SEED, Ref
from tests.json_server import Reply, served

HERE = Path(__file__).parent
PLACEHOLDER = "http://netbox.example"
PAGE = 10  # the most that this NetBox gives at once (MAX_PAGE_SIZE), so that its lists come in pages
EXPORTED = (
    *("tenancy/tenants", "dcim/regions", "dcim/sites", "dcim/locations", "dcim/racks", "circuits/providers"),
    *("dcim/device-types", "ipam/vrfs", "ipam/vlan-groups", "ipam/vlans", "ipam/prefixes", "ipam/ip-ranges"),
    *("dcim/devices", "virtualization/virtual-machines", "dcim/interfaces", "virtualization/interfaces"),
    *("ipam/ip-addresses", "dcim/cables", "wireless/wireless-links", "circuits/circuits", "tenancy/contacts"),
    "tenancy/contact-assignments",
)


class Filling:
    """Writes the seed by NetBox's REST API."""

    def __init__(self, netbox: NetBox) -> None:
        headers = {"Authorization": f"Bearer {netbox.token_v2}"}
        self.http = httpx.Client(base_url=f"{netbox.url}/api/", headers=headers, timeout=300, trust_env=False)

    def fill(self) -> None:
        for endpoint, records in SEED:
            for record in records:
                self._sent("POST", f"{endpoint}/", self._filled(record))
        for endpoint, which, values in LATER:
            self._sent("PATCH", f"{endpoint}/{self._id(which)}/", self._filled(values))

    def _sent(self, method: str, path: str, body: Any) -> None:
        answer = self.http.request(method, path, json=body)
        if answer.is_error:
            raise SystemExit(f"{method} {path} {body}: {answer.status_code} {answer.text[:2000]}")

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return self._id(value)
        if isinstance(value, dict):
            return {k: self._filled(v) for k, v in value.items()}
        return [self._filled(v) for v in value] if isinstance(value, list) else value

    def _id(self, which: Ref) -> int:
        asked = {"vrf_id" if v == "null" else k: v for k, v in which.where}
        found = self.http.get(f"{which.endpoint}/", params=asked).json()["results"]
        if len(found) != 1:
            raise SystemExit(f"{which} are {len(found)} records.")
        return int(found[0]["id"])


@contextmanager
def recording(netbox: NetBox, answers: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Stand between siaga and NetBox, and write down what is asked and answered."""

    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        passed = {k: v for k, v in headers.items() if k in ("Authorization", "Accept", "Host")}
        found = httpx.get(netbox.url + path, headers=passed, timeout=300, trust_env=False)
        body = json.loads(found.text.replace(f"http://{headers['Host']}", PLACEHOLDER))
        answers.setdefault(path, {"path": path, "status": found.status_code, "body": body})
        return Reply(found.content, found.status_code, found.headers["content-type"])

    with served(answer) as url:
        yield url


def imported(folder: Path, url: str, token: str) -> None:
    """Let siaga import everything, as an operator does."""
    home, siaga = folder / "home", str(Path(sys.executable).with_name("siaga"))
    environment = {"PATH": "/usr/bin:/bin", "SIAGA_HOME": str(home), "NETBOX_TOKEN": token}
    for arguments in (["init"], ["import", "netbox", url, "--token-from", "env:NETBOX_TOKEN", "--skip-bad"]):
        subprocess.run([siaga, *arguments], env=environment, check=False)


def exported(netbox: NetBox, folder: Path) -> None:
    """Log in to NetBox's pages and take its own CSV of each list."""
    folder.mkdir()
    with httpx.Client(base_url=netbox.url, timeout=300, follow_redirects=True, trust_env=False) as http:
        page = http.get("/login/").text
        secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert secret
        form = {
            "username": "admin",
            "password": netbox.password,
            "csrfmiddlewaretoken": secret[1],
            "next": "/",
        }
        http.post("/login/", data=form, headers={"Referer": f"{netbox.url}/login/"}).raise_for_status()
        for endpoint in EXPORTED:
            for kind, query in (("", "export"), ("-table", "export=table")):
                answer = http.get(f"/{endpoint}/?{query}")
                if not answer.headers["content-type"].startswith("text/csv"):
                    print(f"{endpoint}: no CSV ({answer.status_code} {answer.headers['content-type']})")
                    continue
                said = re.search(r'filename="?([^";]+)', answer.headers["content-disposition"])
                assert said
                where = folder / f"{endpoint.partition('/')[0]}{kind}"  # two apps have a list of interfaces
                where.mkdir(exist_ok=True)
                (where / said[1]).write_bytes(
                    answer.content.replace(netbox.url.encode(), PLACEHOLDER.encode())
                )


def record(netbox: NetBox, folder: Path) -> None:
    """Write recorded-VERSION/ anew."""
    answers: dict[str, dict[str, Any]] = {}
    with recording(netbox, answers) as url:
        imported(folder, url, netbox.token_v2)
    version = answers["/api/status/"]["body"]["netbox-version"]
    where = HERE / f"recorded-{version}"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    answers["/api/status/"]["body"].pop("hostname", None)
    wrong = httpx.get(
        f"{netbox.url}/api/status/", headers={"Authorization": "Bearer nbt_salah.salah"}, trust_env=False
    )
    answers["refused"] = {"path": "refused", "status": wrong.status_code, "body": wrong.json()}
    lines = (json.dumps(a, ensure_ascii=False, separators=(",", ":")) for a in answers.values())
    text = "".join(f"{line}\n" for line in lines)
    assert not any(s in text for s in (netbox.token_v1, netbox.token_v2, netbox.password))
    (where / "api.jsonl").write_text(text)
    exported(netbox, where / "csv")
    print(f"{len(answers)} answers of NetBox {version} in {where}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--postgres", type=Path, default=Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument("--redis", type=Path, default=Path("/usr/bin/redis-server"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="siaga-netbox-") as name:
        folder = Path(name)
        with running(folder, asked.venv, asked.postgres, asked.redis, max_page=PAGE) as netbox:
            Filling(netbox).fill()
            record(netbox, folder)


if __name__ == "__main__":
    main()
