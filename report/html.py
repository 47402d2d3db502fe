"""A report's JSON → one HTML file that needs nothing else: no script, no font, no picture from anywhere.

Jinja escapes every text; the only markup inserted as it is are the charts, which report/charts.py drew and escaped.
The page carries a policy that lets nothing load and no style but its own.
"""

import base64
import hashlib
from pathlib import Path

from report.charts import FILLS, INKS, MARKS
from report.figures import Tone
from report.flat import loaded

TEMPLATES = Path(__file__).parent / "templates"
_POLICY = "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"


def as_html(document: bytes) -> bytes:
    """Return the page; the same JSON makes the same bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    tree = loaded(document)
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    room = Environment(autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(TEMPLATES))
    page = room.get_template("readiness.html.j2").render(
        **{key: tree[key] for key in ("lang", "meta", "words", "chapters")},
        figures={f["id"]: f for f in tree["figures"]},
        marks={tone.value: mark for tone, mark in MARKS.items()},
        style=style,
        policy=_POLICY.format(style=digest),
        digest=hashlib.sha256(document).hexdigest(),
    )
    return f"{page}\n".encode()


def _style() -> str:
    """Return the style sheet with the colours of the tones, the same as those of the charts."""
    rules = [(TEMPLATES / "readiness.css").read_text(encoding="utf-8")]
    for tone in Tone:
        name = tone.value or "plain"
        rules.append(f".t-{name},.f-{name}{{color:{INKS[tone]}}}.f-{name}{{background:{FILLS[tone]}}}")
        rules.append(f".s-{name}{{fill:{INKS[tone] if tone.value else '#1f7a8c'}}}\n")
    return "".join(rules)
