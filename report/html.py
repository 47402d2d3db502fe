"""A report's JSON → one HTML file that needs nothing else: no script, no font, no picture from anywhere.

Every text is escaped; the only markup inserted as it is are the charts, which report/charts.py drew and escaped. The
page carries a policy that lets nothing load.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from report.charts import FILLS, INKS, MARKS
from report.figures import Tone
from report.flat import loaded, title_of

Block = Mapping[str, Any]
STYLE = Path(__file__).parent / "templates" / "readiness.css"


def as_html(document: bytes) -> bytes:
    """Return the page; the same JSON makes the same bytes."""
    tree = loaded(document)
    return "".join(_page(tree, hashlib.sha256(document).hexdigest())).encode()


def _page(tree: dict[str, Any], digest: str) -> Iterator[str]:
    meta, words = tree["meta"], tree["words"]
    title = f"{words['title']} – {meta['regency']}"
    style = STYLE.read_text(encoding="utf-8") + _tones()
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    yield f'<!DOCTYPE html>\n<html lang="{escape(tree["lang"])}">\n<head>\n<meta charset="utf-8">\n'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        f"'sha256-{allowed}'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    yield from _front(tree, digest)
    figures = {f["id"]: f for f in tree["figures"]}
    for n, chapter in enumerate(tree["chapters"]):
        yield f'<section id="c{n}">\n<h2>{escape(title_of(chapter))}</h2>\n'
        for block in chapter["blocks"]:
            yield from _block(block, figures, words)
        yield "</section>\n"
    yield f'<footer>{escape(words["subtitle"])} · SHA-256 {digest}</footer>\n</main>\n</body>\n</html>\n'


def _tones() -> str:
    rules = [f".{t.name}{{color:{INKS[t]}}}.f-{t.name}{{background:{FILLS[t]};color:{INKS[t]}}}" for t in Tone]
    return "".join(rules) + "".join(f".s-{t.name}{{fill:{INKS[t]}}}" for t in Tone)


def _front(tree: dict[str, Any], digest: str) -> Iterator[str]:
    meta, words = tree["meta"], tree["words"]
    yield '<header class="cover">\n'
    yield f"<p>{escape(meta['office'])}</p>\n<h1>{escape(words['title'])}</h1>\n"
    yield f"<p>{escape(meta['scope'] or words['subtitle'])}</p>\n<p>{escape(meta['period'])}</p>\n</header>\n"
    if meta["banner"]:
        yield f'<p class="banner">{escape(meta["banner"])}</p>\n'
    yield f'<nav aria-label="{escape(words["contents"])}"><h2>{escape(words["contents"])}</h2><ol>\n'
    for n, chapter in enumerate(tree["chapters"]):
        yield f'<li><a href="#c{n}">{escape(title_of(chapter))}</a></li>\n'
    yield "</ol></nav>\n<main>\n"
    yield f'<p class="source">{escape(words["hash"])}: <code>{digest}</code></p>\n'


def _block(block: Block, figures: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    if block["kind"] == "pair":
        yield '<div class="pair">\n'
        for one in block["blocks"]:
            yield "<div>\n"
            yield from _block(one, figures, words)
            yield "</div>\n"
        yield "</div>\n"
    elif block["kind"] == "numbers":
        yield from _numbers(block, figures)
    else:
        yield from _MAKERS[block["kind"]](block, words)


def _toned(shown: str, tone: str) -> str:
    mark = MARKS[Tone(tone)]
    if not mark:
        return escape(shown)
    return f'<span class="{Tone(tone).name}">{mark} {escape(shown)}</span>'


def _numbers(block: Block, figures: Mapping[str, Any]) -> Iterator[str]:
    yield '<ul class="cards">\n'
    for key in block["ids"]:
        f = figures[key]
        yield f"<li><span>{escape(f['label'])}</span><b>{_toned(f['shown'], f['tone'])}</b>"
        yield f"<small>{escape(f['note'])} · {escape(f['id'])}</small></li>\n"
    yield "</ul>\n"


def _text(block: Block, _: Mapping[str, str]) -> Iterator[str]:
    kind = ' class="boxed"' if block["boxed"] else ""
    yield f"<p{kind}>{escape(block['text'])}</p>\n"


def _heading(block: Block, _: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3>{escape(block['text'])}</h3>\n"


def _source(block: Block, words: Mapping[str, str]) -> str:
    note = f"{escape(block['note'])} " if block.get("note") else ""
    return f'<p class="source">{note}{escape(block["id"])} · {escape(words["source"])}: {escape(block["source"])}</p>\n'


def _empty(block: Block) -> str:
    return f'<p class="empty">{escape(block["empty"])}</p>\n'


def _table(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f'<h3 id="{escape(block["id"])}">{escape(block["title"])}</h3>\n'
    if not block["rows"]:
        yield _empty(block)
    else:
        yield '<div class="wide"><table>\n<thead><tr>'
        for column in block["columns"]:
            yield f'<th scope="col"{_right(column)}>{escape(column["title"])}</th>'
        yield "</tr></thead>\n<tbody>\n"
        for row in block["rows"]:
            cells = (f"<td{_right(c)}>{_cell(cell)}</td>" for c, cell in zip(block["columns"], row, strict=True))
            yield f"<tr>{''.join(cells)}</tr>\n"
        yield "</tbody></table></div>\n"
    yield _source(block, words)


def _right(column: Mapping[str, Any]) -> str:
    return ' class="r"' if column["right"] else ""


def _cell(cell: Mapping[str, Any]) -> str:
    said = _toned(cell["shown"], cell["tone"])
    if cell["spark"]:
        return f"{_spark(cell['spark'])} <small>{said}</small>"
    return f'<a href="#{escape(cell["link"])}">{said}</a>' if cell["link"] else said


def _spark(values: list[float | None]) -> str:
    bars = []
    for i, value in enumerate(values):
        if value is not None:
            tone = "good" if value >= 0.99 else "warn" if value >= 0.95 else "bad"
            tall = max(max(value - 0.5, 0) * 2, 0.08) * 12
            bars.append(f'<rect x="{i * 4}" y="{12 - tall:.2f}" width="3" height="{tall:.2f}" class="s-{tone}"/>')
    return f'<svg viewBox="0 0 {4 * len(values)} 12" class="spark" aria-hidden="true">{"".join(bars)}</svg>'


def _bars(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3>{escape(block['title'])}</h3>\n"
    if not block["bars"]:
        yield _empty(block)
    most = max([1.0, *(b["share"] for b in block["bars"])])
    yield '<table class="bars">\n' if block["bars"] else ""
    for b in block["bars"]:
        tone = Tone(b["tone"]).name if b["tone"] else "plain"
        long, mark = 100 * min(b["share"] / most, 1), 100 * block["mark"] / most
        yield f"<tr><th scope=row>{escape(b['label'])}</th><td><svg viewBox='0 0 100 6' preserveAspectRatio='none'>"
        yield f'<rect width="{long:.2f}" height="6" class="s-{tone}" opacity="{1 if b["sure"] else 0.4}"/>'
        yield f'<rect x="{mark:.2f}" width="0.4" height="6"/></svg></td><td class="r">{_toned(b["shown"], b["tone"])}</td></tr>\n'
    yield "</table>\n" if block["bars"] else ""
    yield _source(block, words)


def _heat(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3>{escape(block['title'])}</h3>\n"
    if not block["rows"]:
        yield _empty(block)
    else:
        said = (f'<span class="f-{Tone(e["tone"]).name} key">{MARKS[Tone(e["tone"])]}</span> {escape(e["label"])}' for e in block["legend"])
        yield f'<p class="source">{" &nbsp; ".join(said)} · {escape(" – ".join(block["ticks"]))}</p>\n'
        yield '<div class="wide"><table class="heat">\n'
        for row in block["rows"]:
            cells = "".join(f'<td class="f-{Tone(c).name}">{MARKS[Tone(c)]}</td>' for c in row["cells"])
            last = _toned(row["last"]["shown"], row["last"]["tone"])
            yield f'<tr><th scope="row">{escape(row["label"])}</th>{cells}<td class="r">{last}</td></tr>\n'
        yield "</table></div>\n"
    yield _source(block, words)


def _stack(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3>{escape(block['title'])}</h3>\n"
    whole = sum(p["count"] for p in block["parts"]) or 1
    at, parts = 0.0, []
    for p in block["parts"]:
        wide = 100 * p["count"] / whole
        name = Tone(p["tone"]).name if p["tone"] else "plain"
        parts.append(f'<rect x="{at:.2f}" width="{wide:.2f}" height="6" class="s-{name}"/>')
        at += wide
    yield f'<svg viewBox="0 0 100 6" preserveAspectRatio="none" class="stack" aria-hidden="true">{"".join(parts)}</svg>\n'
    yield f"<p>{' &nbsp; '.join(_toned(p['shown'] + ' ' + p['label'], p['tone']) for p in block['parts'])}</p>\n"
    yield _source(block, words)


def _chart(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3>{escape(block['title'])}</h3>\n"
    if block["svg"]:
        yield f'<figure role="img" aria-label="{escape(block["title"])}: {escape(block["alt"])}">{block["svg"]}</figure>\n'
    else:
        yield _empty(block)
    yield _source(block, words)


def _verdict(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f'<div class="verdict"><span>{escape(block["label"])}</span><b>{escape(block["shown"])}</b>'
    yield f"<strong>{_toned(block['band'], block['tone'])}</strong> <span>{escape(words['interval'])} {escape(block['interval'])}</span>"
    yield f"<small>{escape(block['text'])}</small></div>\n"


def _ladder(level: int | None) -> str:
    return "".join("■" if level is not None and n <= level else "□" for n in range(1, 6))


def _levels(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3>{escape(block['title'])}</h3>\n"
    if not block["rows"]:
        yield _empty(block)
    else:
        heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in block["heads"])
        yield f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
        for r in block["rows"]:
            yield f'<tr><td><a href="#H-{escape(r["id"])}">{escape(r["id"])}</a> {escape(r["name"])}'
            yield f"{' <small>' + escape(words['official']) + '</small>' if r['official'] else ''}"
            yield f'{"<br><small>" + escape(r["note"]) + "</small>" if r["note"] else ""}</td><td class="r">{escape(r["shown"])}</td>'
            yield f'<td><span class="{Tone(r["tone"]).name} ladder">{_ladder(r["level"])}</span> {_toned(r["level_shown"], r["tone"])}</td>'
            yield "".join(f'<td class="r">{escape(r[k])}</td>' for k in ("target_shown", "weight_shown", "coverage_shown"))
            yield "</tr>\n"
        yield "</tbody></table></div>\n"
    yield _source(block, words)


def _record(block: Block, words: Mapping[str, str]) -> Iterator[str]:
    level = block["level"]
    official = words["official"] if level["official"] else words["own"]
    yield f'<details id="{escape(block["id"])}"><summary><b>{escape(level["id"])}</b> {escape(block["title"])} '
    yield f"{_toned(level['level_shown'], level['tone'])} <small>{escape(level['shown'])} · {escape(official)}</small></summary>\n<dl>\n"
    for pair in block["pairs"]:
        yield f"<dt>{escape(pair['label'])}</dt><dd>{escape(pair['text'])}</dd>\n"
    yield "</dl></details>\n"


_MAKERS: Mapping[str, Callable[[Block, Mapping[str, str]], Iterator[str]]] = {
    "text": _text,
    "heading": _heading,
    "table": _table,
    "bars": _bars,
    "heat": _heat,
    "stack": _stack,
    "chart": _chart,
    "verdict": _verdict,
    "levels": _levels,
    "record": _record,
}

