"""Charts as SVG, drawn by hand: bars on a logarithmic scale, and lines of cost against size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, NAMES, LINE = 760, 150, 24
SPACE = "http://www.w3.org/2000/svg"
FONT = 'font-family="system-ui, sans-serif" font-size="13"'
OURS, OTHERS, INK, PALE = "#2563eb", "#94a3b8", "#334155", "#e2e8f0"


def page(height: float, title: str, parts: Sequence[str]) -> str:
    """An image on white, so that it can be read on dark pages too."""
    return "\n".join(
        [
            f'<svg xmlns="{SPACE}" viewBox="0 0 {WIDTH} {height:.0f}" {FONT} role="img">',
            f"<title>{escape(title)}</title>",
            '<rect width="100%" height="100%" fill="white"/>',
            text(10, 22, title, weight="bold"),
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, what: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(what)}</text>'
    )


def bars(title: str, values: Mapping[str, float], shown: Mapping[str, str], ours: str) -> str:
    """Bars on a logarithmic scale, the shortest first."""
    rows = sorted(values.items(), key=lambda row: row[1])
    low = math.log10(min(values.values())) - 0.3
    span = math.log10(max(values.values())) - low or 1.0
    parts = []
    for place, (name, value) in enumerate(rows):
        y = 40 + place * LINE
        length = (WIDTH - NAMES - 120) * (math.log10(value) - low) / span
        color = OURS if name == ours else OTHERS
        parts += [
            text(
                NAMES - 8, y + 13, name, anchor="end", weight="bold" if name == ours else "normal"
            ),
            f'<rect x="{NAMES}" y="{y}" width="{length:.1f}" height="17" fill="{color}"/>',
            text(NAMES + length + 6, y + 13, shown[name]),
        ]
    return page(50 + len(rows) * LINE, f"{title} (logarithmic)", parts)


def lines(
    title: str, series: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str
) -> str:
    """Points joined by lines, both scales logarithmic: what is linear rises by 45 degrees."""
    points = [point for line in series.values() for point in line]
    x0, x1 = (f(math.log10(x) for x, _ in points) for f in (min, max))
    y0, y1 = (f(math.log10(max(y, 1e-9)) for _, y in points) for f in (min, max))
    y0, y1, height = math.floor(y0), math.ceil(y1), 380.0
    left, right, top, low = 80.0, WIDTH - 270.0, 60.0, 330.0

    def place(x: float, y: float) -> tuple[float, float]:
        across_ = left + (right - left) * (math.log10(x) - x0) / ((x1 - x0) or 1)
        return across_, low - (low - top) * (math.log10(max(y, 1e-9)) - y0) / ((y1 - y0) or 1)

    parts = []
    for power in range(int(y0), int(y1) + 1):
        _, y = place(points[0][0], 10.0**power)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="{PALE}"/>')
        parts.append(text(left - 8, y + 4, f"{10.0**power:g}", anchor="end"))
    parts += [
        text(place(x, 1)[0], low + 20, f"{x:,.0f}", anchor="middle")
        for x in sorted({x for x, _ in points})
    ]
    colors = (OURS, "#dc2626", "#16a34a", "#9333ea", "#ea580c", "#0891b2")
    for number, (name, line) in enumerate(series.items()):
        color = colors[number % len(colors)]
        spots = [place(x, y) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in spots]
        y = top + 10 + number * 22
        parts.append(f'<rect x="{right + 15}" y="{y - 10}" width="12" height="12" fill="{color}"/>')
        parts.append(text(right + 33, y, name))
    parts.append(text((left + right) / 2, low + 42, across, anchor="middle"))
    parts.append(text(left - 60, top - 16, up))
    return page(height, title, parts)
