"""The regency's office: people, goods, papers, outages with causes, as a second workbook (data/office.toml; ilustrasi).

Dates count from the day of the demo, so that what is valid, expired and due stays as it is meant.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from demo.draft import ILLUSTRATIVE, Row
from demo.layout import BUILDING, contract
from demo.regency import Regency
from report.evidence import put
from siaga.clock import JAKARTA

FACTS = Path(__file__).parent / "data" / "office.toml"
COLUMNS: Mapping[str, str] = {
    "place": "name kind purpose area_m2",
    "contract": "name penalty provider_availability_pct",
    "service": "name hosting spl",
    "person": "name role agency fte competences on_call on_duty notes",
    "certificate": "name person area issued expires notes",
    "asset": "name title kode_barang register_number nibar device condition acquired price_idr agency place"
    " origin verified_at notes",
    "outage": "name device start end cause notes",
    "ticket": "name title priority opened acknowledged resolved notes",
    "evidence": "name kind title dated signer valid_until result sha256 media_type size_bytes notes",
    "risk": "name title severity person opened due closed notes",
    "milestone": "name title quick_win due done notes",
    "budget": "name year ceiling_idr realised_idr as_of notes",
    "room_check": "name place dated door_control door_log cctv visitor_log fire_detection signer notes",
}


@cache
def facts() -> Mapping[str, Any]:
    """Read data/office.toml."""
    return tomllib.loads(FACTS.read_text("utf-8"))


def month_before(now: datetime) -> datetime:
    """Return when the month before the present one began, by the regency's clock, in UTC."""
    first = now.astimezone(ZoneInfo(JAKARTA)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = first - timedelta(days=1)
    return last.replace(day=1).astimezone(UTC)


def outages(now: datetime) -> Iterator[tuple[str, datetime, datetime, str]]:
    """Yield (device, start, end, cause) of what was down in the month before, and in the days before now."""
    began = month_before(now)
    for device, day, hour, minutes, cause in facts()["outage"]["rows"]:
        start = began + timedelta(days=day, hours=hour)
        yield device, start, start + timedelta(minutes=minutes), cause
    for device, days, hour, minutes, cause in facts()["recent"]["rows"]:
        day = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        yield device, day + timedelta(hours=hour), day + timedelta(hours=hour, minutes=minutes), cause


def rows(home: Path, regency: Regency, seed: int, now: datetime) -> dict[str, list[Row]]:
    """Return the rows by noun; the papers' files are put into the home's register."""
    today = now.astimezone(ZoneInfo(JAKARTA)).date()
    return {
        "place": list(_rooms()),
        "contract": list(_contracts()),
        "service": list(_services()),
        "person": list(_people()),
        "certificate": list(_certificates(today)),
        "asset": list(_goods(regency, seed, today)),
        "outage": list(_outages(now)),
        "ticket": list(_tickets(now)),
        "evidence": list(_papers(home, today)),
        "risk": list(_risks(today)),
        "milestone": list(_milestones(today)),
        "budget": [_budget(today)],
        "room_check": [_room_check(today)],
    }


def workbook(path: Path, made: Mapping[str, list[Row]]) -> None:
    """Write the rows as an XLSX workbook, as the team would keep them."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for noun, columns in COLUMNS.items():
        sheet = book.create_sheet(noun)
        names = columns.split()
        sheet.append(names)
        for row in made[noun]:
            full = {"notes": ILLUSTRATIVE, **row}
            sheet.append([full.get(name) for name in names])
    book.save(path)


def _rooms() -> Iterator[Row]:
    for name, purpose, area in facts()["room"]["rows"]:
        yield {"name": f"{name} {BUILDING}", "kind": "room", "purpose": purpose, "area_m2": area}


def _contracts() -> Iterator[Row]:
    for kind, letter, penalty, stated in facts()["contract"]["rows"]:
        yield {"name": contract(kind, letter), "penalty": penalty, "provider_availability_pct": stated}


def _services() -> Iterator[Row]:
    hosted = facts()["service"]
    for place in ("lokal", "awan", "pdn"):
        for name in hosted[place]:
            yield {"name": name, "hosting": place, "spl": name in hosted["spl"]}


def _people() -> Iterator[Row]:
    for name, role, fte, competences, on_call, on_duty in facts()["person"]["rows"]:
        yield {
            "name": name,
            "role": role,
            "agency": "diskominfo",
            "fte": fte,
            "competences": competences,
            "on_call": on_call,
            "on_duty": on_duty,
        }


def _certificates(today: date) -> Iterator[Row]:
    for name, person, area, since, left in facts()["certificate"]["rows"]:
        dates = {"issued": today - timedelta(days=since), "expires": today + timedelta(days=left)}
        yield {"name": name, "person": person, "area": area, **dates}


def _goods(regency: Regency, seed: int, today: date) -> Iterator[Row]:
    """Yield an asset for most devices: some have no number, no room, or are worn, as in any books."""
    numbers: dict[str, int] = {}
    for device in regency.sheets["device"]:
        kind = facts()["goods"].get(device["role"])
        draw = Random(f"{seed}:goods:{device['name']}")  # noqa: S311 - a simulation, not a secret
        if kind is None or draw.random() < 0.12:
            continue
        code, title, price = kind
        numbers[code] = numbers.get(code, 0) + 1
        acquired = today - timedelta(days=draw.randrange(60, 4000))
        worn = draw.random() + (today - acquired).days / 8000
        yield {
            "name": f"{code}/{numbers[code]:04}",
            "title": title,
            "kode_barang": code,
            "register_number": f"{numbers[code]:04}",
            "nibar": f"ILUSTRASI-{code.replace('.', '')}-{numbers[code]:04}" if draw.random() < 0.7 else None,
            "device": device["name"],
            "condition": "B" if worn < 1.0 else "RR" if worn < 1.25 else "RB",
            "acquired": acquired,
            "price_idr": price,
            "agency": device.get("agency"),
            "place": device.get("place"),
            "origin": "Pembelian",
            "verified_at": today - timedelta(days=draw.randrange(20, 700)) if draw.random() < 0.8 else None,
        }


def _outages(now: datetime) -> Iterator[Row]:
    for n, (device, start, end, cause) in enumerate(outages(now), 1):
        yield {
            "name": f"G-{start:%Y%m}-{n:02}",
            "device": device,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "cause": cause,
        }


def _tickets(now: datetime) -> Iterator[Row]:
    for n, (title, priority, days, answered, resolved) in enumerate(facts()["ticket"]["rows"], 1):
        opened = (now - timedelta(days=days)).replace(microsecond=0)
        done = (opened + timedelta(hours=resolved)).isoformat() if resolved else None
        yield {
            "name": f"T-{n:03}",
            "title": title,
            "priority": priority,
            "opened": opened.isoformat(),
            "acknowledged": (opened + timedelta(hours=answered)).isoformat(),
            "resolved": done,
        }


def _papers(home: Path, today: date) -> Iterator[Row]:
    folder = home / "documents"
    folder.mkdir(exist_ok=True)
    for kind, title, since, holds, signer in facts()["paper"]["rows"]:
        dated = today - timedelta(days=since)
        path = folder / f"{kind}.txt"
        path.write_text(
            f"{title}\n{dated.isoformat()}\n\nIlustrasi: bukan dokumen yang sebenarnya.\n", "utf-8"
        )
        stored = put(home, path)
        yield {
            "name": f"{kind}-{dated.isoformat()}",
            "kind": kind,
            "title": title,
            "dated": dated,
            "signer": signer,
            "valid_until": dated + timedelta(days=holds) if holds else None,
            "result": "Cukup Baik" if kind == "hasil_kami" else None,
            "sha256": stored.sha256,
            "media_type": stored.media_type,
            "size_bytes": stored.size_bytes,
        }


def _risks(today: date) -> Iterator[Row]:
    for n, (title, severity, owner, due, closed) in enumerate(facts()["risk"]["rows"], 1):
        yield {
            "name": f"R-{n:02}",
            "title": title,
            "severity": severity,
            "person": owner,
            "opened": today - timedelta(days=150),
            "due": today + timedelta(days=due),
            "closed": today - timedelta(days=10) if closed else None,
        }


def _milestones(today: date) -> Iterator[Row]:
    for n, (title, quick, due, done) in enumerate(facts()["milestone"]["rows"], 1):
        yield {
            "name": f"M-{n:02}",
            "title": title,
            "quick_win": quick,
            "due": today + timedelta(days=due),
            "done": today + timedelta(days=due - 3) if done else None,
        }


def _budget(today: date) -> Row:
    return {
        "name": f"Belanja TIK {today.year}",
        "year": today.year,
        "ceiling_idr": 14_500_000_000,
        "realised_idr": round(14_500_000_000 * min(0.9, today.timetuple().tm_yday / 420)),
        "as_of": today,
    }


def _room_check(today: date) -> Row:
    looked = {
        "door_control": True,
        "door_log": True,
        "cctv": True,
        "visitor_log": False,
        "fire_detection": True,
    }
    place = f"Ruang server {BUILDING}"
    return {"name": "Cek ruang server", "place": place, "dated": today - timedelta(days=40), **looked}
