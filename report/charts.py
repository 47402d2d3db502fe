"""Draws the report's charts as SVG: a map, a radar, a trend, columns. The same drawing is in the PDF and the HTML.

Every text is escaped, every number has a fixed count of decimals, so that the same values make the same bytes. What
a chart says stands besides in its alternative text and in a table or figure; colour is never the only sign.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from report.figures import Tone

INK, NAVY, TEAL, GREY, RULE, PALE = "#1f2933", "#14324f", "#1f7a8c", "#5b6673", "#cfd6dd", "#f3f6f8"
FILLS = {
    Tone.plain: "#ffffff",
    Tone.good: "#cfe9da",
    Tone.warn: "#fbe3b5",
    Tone.bad: "#f6c9c5",
    Tone.unknown: "#e7eaed",
}
INKS = {
    Tone.plain: INK,
    Tone.good: "#1b6e43",
    Tone.warn: "#8a5200",
    Tone.bad: "#a3231c",
    Tone.unknown: "#55606b",
}
MARKS = {Tone.plain: "", Tone.good: "●", Tone.warn: "▲", Tone.bad: "×", Tone.unknown: "○"}
Point = tuple[float, float]


def _n(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def _text(x: float, y: float, text: str, size: float = 9, **look: str) -> str:
    said = {"fill": INK, "text-anchor": "start", **{k.replace("_", "-"): v for k, v in look.items()}}
    given = "".join(f' {k}="{v}"' for k, v in said.items())
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}"{given}>{escape(text)}</text>'


def _path(points: Iterable[Point], *, close: bool = False) -> str:
    return "M" + " ".join(f"{_n(x)},{_n(y)}" for x, y in points) + ("Z" if close else "")


def _svg(width: float, height: float, parts: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}"'
    return f'{head} font-family="Inter, system-ui, sans-serif">{"".join(parts)}</svg>'


# --- the map


@dataclass(frozen=True)
class Area:
    """A kecamatan on the map: its outline (longitude, latitude), where its label stands, and how it is."""

    name: str
    outline: tuple[Point, ...]
    at: Point
    tone: Tone
    shown: str


def chart_map(areas: Sequence[Area], legend: Sequence[tuple[Tone, str]], width: float = 560) -> str:
    """Return a map in plate carrée, true to scale at its middle; the legend stands below."""
    xs = [x for a in areas for x, _ in a.outline]
    ys = [y for a in areas for _, y in a.outline]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    squeeze = math.cos(math.radians((low + high) / 2))
    scale = (width - 8) / ((right - left) * squeeze)
    height = (high - low) * scale + 8

    def placed(point: Point) -> Point:
        return 4 + (point[0] - left) * squeeze * scale, 4 + (high - point[1]) * scale

    parts = [_area(a, [placed(p) for p in a.outline]) for a in areas]
    parts += [_label(a, *placed(a.at)) for a in areas]
    x = 4.0
    for tone, word in legend:
        parts.append(_swatch(x, height + 8, tone))
        parts.append(_text(x + 17, height + 18, word, 9))
        x += 17 + 5.4 * len(word) + 16
    return _svg(width, height + 26, parts)


def _area(area: Area, outline: Sequence[Point]) -> str:
    path = _path(outline, close=True)
    return (
        f'<path d="{path}" fill="{FILLS[area.tone]}" stroke="#ffffff" stroke-width="1.4"/>'
        f'<path d="{path}" fill="none" stroke="{GREY}" stroke-width="0.45"/>'
    )


def _label(area: Area, x: float, y: float) -> str:
    lines = _halves(area.name)
    top = y - 4.2 * len(lines) + 2
    said = [
        _text(x, top + 8.4 * i, line, 7.6, text_anchor="middle", font_weight="600", fill=NAVY)
        for i, line in enumerate(lines)
    ]
    shown = f"{MARKS[area.tone]} {area.shown}".strip()
    last = _text(x, top + 8.4 * len(lines), shown, 7, text_anchor="middle", fill=INKS[area.tone])
    return "".join([*said, last])


def _halves(name: str) -> list[str]:
    words = name.split()
    return [name] if len(words) < 2 or len(name) < 9 else [words[0], " ".join(words[1:])]


def _swatch(x: float, y: float, tone: Tone) -> str:
    box = f'<rect x="{_n(x)}" y="{_n(y)}" width="13" height="13" rx="2" fill="{FILLS[tone]}"'
    mark = _text(x + 6.5, y + 10, MARKS[tone], 8, text_anchor="middle", fill=INKS[tone])
    return f'{box} stroke="{GREY}" stroke-width="0.4"/>{mark}'


# --- the radar


@dataclass(frozen=True)
class Spoke:
    """One axis of a radar, from 1 to 5: the value (None: not known) between `low` and `high`."""

    label: str
    value: float | None
    low: float
    high: float
    shown: str


def chart_radar(spokes: Sequence[Spoke], rings: Sequence[str], size: float = 230) -> str:
    """Return a radar with a web at 1 to 5 (`rings` are their labels); the band shows what is not known."""
    cx, cy, radius = size / 2 + 35, size / 2 - 4, size / 2 - 38
    many = len(spokes)

    def at(i: int, level: float) -> Point:
        angle = 2 * math.pi * i / many - math.pi / 2
        r = radius * (level - 1) / 4
        return cx + r * math.cos(angle), cy + r * math.sin(angle)

    parts = [
        f'<path d="{_path((at(i, level) for i in range(many)), close=True)}" fill="none" stroke="{RULE}"'
        f' stroke-width="{1 if level == 5 else 0.6}"/>'
        for level in range(2, 6)
    ]
    parts += [
        f'<path d="{_path((at(i, 1), at(i, 5)))}" stroke="{RULE}" stroke-width="0.6"/>' for i in range(many)
    ]
    outer = _path((at(i, s.high) for i, s in enumerate(spokes)), close=True)
    inner = _path((at(i, s.low) for i, s in enumerate(spokes)), close=True)
    parts.append(f'<path d="{outer}{inner}" fill="{TEAL}" fill-opacity="0.16" fill-rule="evenodd"/>')
    known = [(i, s.value) for i, s in enumerate(spokes) if s.value is not None]
    if len(known) == many:
        line = _path((at(i, v) for i, v in known), close=True)
        parts.append(
            f'<path d="{line}" fill="none" stroke="{TEAL}" stroke-width="2" stroke-linejoin="round"/>'
        )
    parts += [_dot(*at(i, v)) for i, v in known]
    parts += [_text(cx + 3, at(0, n)[1] + 3, ring, 7, fill=GREY) for n, ring in enumerate(rings, 1) if n > 1]
    parts += [_spoke(s, at(i, 5.5), cx) for i, s in enumerate(spokes)]
    return _svg(size + 70, size, parts)


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="3" fill="{TEAL}" stroke="#ffffff" stroke-width="1"/>'


def _spoke(spoke: Spoke, at: Point, cx: float) -> str:
    x, y = at
    anchor = "middle" if abs(x - cx) < 12 else "start" if x > cx else "end"
    y -= 7 if anchor == "middle" and y < cx else 0  # above the uppermost ring's own figure
    name = _text(x, y, spoke.label, 9, text_anchor=anchor, font_weight="600", fill=NAVY)
    return name + _text(x, y + 11, spoke.shown, 8.5, text_anchor=anchor, fill=GREY)


# --- the trend

# So that no line goes through a figure.
HALO = {"stroke": "#ffffff", "stroke_width": "3", "paint_order": "stroke"}


@dataclass(frozen=True)
class Moment:
    """One step of a trend: the value (None: a gap) and, where it is one, the interval."""

    label: str
    value: float | None
    shown: str
    low: float | None = None
    high: float | None = None


def chart_trend(
    moments: Sequence[Moment],
    bounds: tuple[float, float],
    ticks: Sequence[tuple[float, str]],
    height: float = 150,
) -> str:
    """Return a line over time with its interval; where a value is missing the line is broken."""
    width, left, right, top, foot = 560.0, 44.0, 26.0, 14.0, 26.0
    low, high = bounds
    inside = height - top - foot

    def x(i: int) -> float:
        steps = max(len(moments) - 1, 1)
        return left + (width - left - right) * (i / steps if len(moments) > 1 else 0.5)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return top + inside * (1 - min(max(share, 0.0), 1.0))

    parts = []
    for value, word in ticks:
        parts.append(
            f'<path d="{_path(((left, y(value)), (width - right, y(value))))}" stroke="{RULE}" stroke-width="0.6"/>'
        )
        parts.append(_text(left - 6, y(value) + 3, word, 8, text_anchor="end", fill=GREY))
    for i, m in enumerate(moments):
        if m.low is not None and m.high is not None:
            parts.append(
                f'<path d="M{_n(x(i))},{_n(y(m.low))} {_n(x(i))},{_n(y(m.high))}" stroke="{TEAL}"'
                ' stroke-width="7" stroke-opacity="0.2"/>'
            )
    parts += [
        f'<path d="{_path(run)}" fill="none" stroke="{TEAL}" stroke-width="1.8" stroke-linejoin="round"/>'
        for run in _runs([None if m.value is None else (x(i), y(m.value)) for i, m in enumerate(moments)])
    ]
    few = len(moments) <= 14
    for i, m in enumerate(moments):
        if m.value is not None and few:
            parts += [
                _dot(x(i), y(m.value)),
                _text(x(i), y(max(m.value, m.high or low)) - 6, m.shown, 8, text_anchor="middle", **HALO),
            ]
        if m.value is None:
            parts.append(
                _text(x(i), height - foot - 3, MARKS[Tone.unknown], 7, text_anchor="middle", fill=GREY)
            )
    step = max(1, -(-len(moments) // 10))
    parts += [
        _text(x(i), height - 8, m.label, 8, text_anchor="middle", fill=GREY)
        for i, m in enumerate(moments)
        if i % step == 0
    ]
    return _svg(width, height, parts)


def _runs(points: Sequence[Point | None]) -> list[list[Point]]:
    """Return the unbroken runs of two and more points."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if len(run) > 1]


# --- columns


@dataclass(frozen=True)
class Stick:
    """One column, in parts from below: (count, tone)."""

    label: str
    parts: tuple[tuple[int, Tone], ...]
    shown: str


def chart_columns(sticks: Sequence[Stick], legend: Sequence[tuple[Tone, str]], height: float = 150) -> str:
    """Return columns in parts with their sums above and a legend below."""
    width, top, foot = 560.0, 16.0, 42.0
    most = max((sum(n for n, _ in s.parts) for s in sticks), default=0) or 1
    inside = height - top - foot
    each = width / max(len(sticks), 1)
    parts = [
        f'<path d="M0,{_n(height - foot)} {_n(width)},{_n(height - foot)}" stroke="{GREY}" stroke-width="0.6"/>'
    ]
    for i, stick in enumerate(sticks):
        base, wide = height - foot, min(each * 0.62, 46.0)
        x = each * (i + 0.5)
        for count, tone in stick.parts:
            tall = inside * count / most
            base -= tall
            if count:
                parts.append(
                    f'<rect x="{_n(x - wide / 2)}" y="{_n(base)}" width="{_n(wide)}" height="{_n(tall)}"'
                    f' fill="{INKS[tone] if tone is not Tone.plain else TEAL}"/>'
                )
        parts.append(_text(x, base - 4, stick.shown, 8.5, text_anchor="middle", font_weight="600"))
        parts.append(_text(x, height - foot + 11, stick.label, 8, text_anchor="middle", fill=GREY))
    x = 0.0
    for tone, word in legend:
        parts.append(
            f'<rect x="{_n(x)}" y="{_n(height - 14)}" width="10" height="10" rx="2" fill="{INKS[tone]}"/>'
        )
        parts.append(_text(x + 14, height - 5, f"{MARKS[tone]} {word}", 8.5))
        x += 14 + 5.4 * len(word) + 28
    return _svg(width, height, parts)
