"""The reliability diagram: how sure decisions were against how many were right, as SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from governance.calibration import Bin, Calibration

SIDE, WIDTH, HEIGHT, COLUMNS = 240, 330, 345, 2
_LEFT, _TOP = 56, 50
# Classes and not variables: not every program that shows SVG knows those. Without dark mode it stays light.
_STYLE = (
    "<style>text{fill:#1f2933;font-family:system-ui,sans-serif}.paper{fill:#fff}.grid{stroke:#d3dae1}"
    ".even{stroke:#7b8794;stroke-dasharray:5 4}.dot{fill:#2b6cb0}.bar{stroke:#2b6cb0;stroke-width:2;opacity:.5}"
    "@media (prefers-color-scheme:dark){text{fill:#e4e7eb}.paper{fill:#16191d}.grid{stroke:#3e4c59}"
    ".even{stroke:#9aa5b1}.dot{fill:#63b3ed}.bar{stroke:#63b3ed}}</style>"
)


def reliability_svg(title: str, panels: Mapping[str, Calibration]) -> str:
    """A panel for each name: dots on the dashed line are as right as they are sure. Bars are 95 % intervals."""
    rows = max(1, math.ceil(len(panels) / COLUMNS))
    columns = min(COLUMNS, max(1, len(panels)))
    width, height = WIDTH * columns + 20, HEIGHT * rows + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        _STYLE,
        f'<rect width="{width}" height="{height}" class="paper"/>',
        _text(20, 28, title, size=16),
    ]
    for number, (name, figures) in enumerate(panels.items()):
        row, column = divmod(number, COLUMNS)
        parts.append(f'<g transform="translate({10 + WIDTH * column},{34 + HEIGHT * row})">')
        parts += [*_frame(name, figures), *_dots(figures.bins), "</g>"]
    foot = "Dots: shares of right decisions with 95 % intervals; below, how many."
    return "\n".join([*parts, _text(20, height - 10, foot, size=11), "</svg>", ""])


def _frame(name: str, figures: Calibration) -> list[str]:
    right, bottom = _LEFT + SIDE, _TOP + SIDE
    head = f"{figures.n:,} decisions, Brier {figures.brier:.3f}, calibration error {figures.ece:.3f}"
    parts = [_text(_LEFT, _TOP - 26, name, size=13), _text(_LEFT, _TOP - 10, head, size=11)]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = _x(tick), _y(tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}M{x:.1f} {_TOP}V{bottom}" class="grid"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{tick:.0%}", size=10, anchor="end"))
        parts.append(_text(x, bottom + 14, f"{tick:.0%}", size=10, anchor="middle"))
    parts.append(f'<path d="M{_LEFT} {bottom}L{right} {_TOP}" class="even"/>')
    parts.append(_text(_LEFT + SIDE / 2, bottom + 44, "how sure", size=11, anchor="middle"))
    middle = _TOP + SIDE / 2
    turned = f'<g transform="rotate(-90 16 {middle:.0f})">{_text(16, middle + 4, "how many right", size=11, anchor="middle")}</g>'
    return [*parts, turned]


def _dots(bins: Sequence[Bin]) -> list[str]:
    most = max((each.n for each in bins), default=1)
    parts: list[str] = []
    said_at = -math.inf
    for each in bins:
        x, radius = _x(each.confidence), 2.5 + 4 * math.sqrt(each.n / most)
        bar = f"M{x:.1f} {_y(each.low):.1f}V{_y(each.high):.1f}"
        parts.append(f'<path d="{bar}" class="bar"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{_y(each.share):.1f}" r="{radius:.1f}" class="dot"/>')
        if x - said_at >= 22:  # where bins lie close, not every count has room
            parts.append(_text(x, _TOP + SIDE + 27, f"{each.n:,}", size=9, anchor="middle"))
            said_at = x
    return parts


def _x(share: float) -> float:
    return _LEFT + SIDE * share


def _y(share: float) -> float:
    return _TOP + SIDE * (1 - share)


def _text(x: float, y: float, words: str, *, size: int, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'
