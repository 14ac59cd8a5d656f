"""Plots as SVG, written by hand: dots with their median, curves, and one stacked bar."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from html import escape

WIDTH = 720
INK, FAINT = "#1f2933", "#c7cfd8"
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#718096", "#d69e2e", "#319795", "#4a5568")
Points = Sequence[tuple[float, float]]


def strips(title: str, unit: str, groups: Mapping[str, Sequence[float]]) -> str:
    """A row of dots for each group, one for each round, with a bar at the median. The axis begins at zero."""
    left, row, top = 190, 38, 56
    most = _nice(max(max(values) for values in groups.values()))
    right, bottom = WIDTH - 60, top + row * len(groups)
    parts = _grid(left, right, top - 10, bottom, most, unit)
    for number, (name, values) in enumerate(groups.items()):
        y, colour = top + row * number + row // 2, COLOURS[number % len(COLOURS)]
        x = left + (right - left) * statistics.median(values) / most
        parts.append(_text(left - 10, y + 4, name, anchor="end"))
        parts.append(
            f'<rect x="{left}" y="{y - 7}" width="{x - left:.1f}" height="14" fill="{colour}" opacity="0.25"/>'
        )
        parts.append(f'<path d="M{x:.1f} {y - 11}v22" stroke="{colour}" stroke-width="3"/>')
        for value in values:
            parts.append(f'<circle cx="{left + (right - left) * value / most:.1f}" cy="{y}" r="4" fill="{colour}"/>')
        parts.append(_text(x + 8, y - 9, f"{statistics.median(values):.3g}", size=11))
    return _svg(title, bottom + 40, parts)


def curves(title: str, axes: tuple[str, str], series: Mapping[str, Points]) -> str:
    """Lines over two axes that begin at zero."""
    left, right, top, bottom = 70, WIDTH - 30, 56, 316
    most_x = _nice(max(x for points in series.values() for x, _ in points))
    most_y = _nice(max(y for points in series.values() for _, y in points))
    parts = _grid(left, right, top, bottom, most_x, axes[0])
    for step in range(5):
        y = bottom - (bottom - top) * step / 4
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="{FAINT}"/>')
        parts.append(_text(left - 8, y + 4, f"{most_y * step / 4:g}", anchor="end", size=11))
    parts.append(_text(left, top - 8, axes[1], size=11))
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        way = " ".join(
            f"{left + (right - left) * x / most_x:.1f},{bottom - (bottom - top) * y / most_y:.1f}" for x, y in points
        )
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(_text(right, top - 8 + 16 * number, name, anchor="end", size=12, colour=colour))
    return _svg(title, bottom + 44, parts)


def stack(title: str, parts_of: Mapping[str, float]) -> str:
    """One bar made of its parts, and a legend with their sizes."""
    left, right, top = 30, WIDTH - 30, 56
    whole = sum(max(value, 0) for value in parts_of.values()) or 1
    parts, x = [], float(left)
    for number, (name, value) in enumerate(parts_of.items()):
        colour, wide = COLOURS[number % len(COLOURS)], (right - left) * max(value, 0) / whole
        parts.append(f'<rect x="{x:.1f}" y="{top}" width="{wide:.1f}" height="44" fill="{colour}"/>')
        column, line = number % 3, number // 3
        at_x, at_y = left + column * 225, top + 76 + 22 * line
        parts.append(f'<rect x="{at_x}" y="{at_y - 11}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(at_x + 18, at_y, f"{name}: {value:.2f}", size=12))
        x += wide
    return _svg(f"{title} ({whole:.1f} in all)", top + 90 + 22 * math.ceil(len(parts_of) / 3), parts)


def _nice(most: float) -> float:
    """The next round number whose quarters are round too."""
    if most <= 0:
        return 1
    size = float(10 ** math.floor(math.log10(most)))
    return next(size * factor for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if size * factor >= most)


def _grid(left: float, right: float, top: float, bottom: float, most: float, unit: str) -> list[str]:
    parts = []
    for step in range(5):
        x = left + (right - left) * step / 4
        parts.append(f'<path d="M{x:.1f} {top}V{bottom}" stroke="{FAINT}"/>')
        parts.append(_text(x, bottom + 16, f"{most * step / 4:g}", anchor="middle", size=11))
    return [*parts, _text((left + right) / 2, bottom + 34, unit, anchor="middle", size=11)]


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(words)}</text>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        'font-family="system-ui, sans-serif" role="img">'
    )
    back = f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    named = f"<title>{escape(title)}</title>"
    return "\n".join([head, named, back, _text(30, 26, title, size=16), *parts, "</svg>", ""])
