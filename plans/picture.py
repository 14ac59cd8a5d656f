"""A plan as a picture: one SVG that stands by itself, light and dark, readable on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from governance.policy import Ruling, RulingKind
from plans.language import Plan, Step
from plans.layers import direct_needs, layers
from plans.wording import beside, condition_text

WIDTH = 480
_MARGIN, _GUTTER, _CARD, _HEIGHT, _ROW_GAP, _BAND_PAD, _BAND_GAP = 26, 24, 202, 90, 20, 14, 26
_STYLE = """
.sp{--ink:#1c2430;--dim:#5b6675;--card:#ffffff;--band:#f1f3f6;--line:#b4bdc9;--edge:#d5dae1;--go:#8a95a3;--gate:#b45309;
--forbid:#b91c1c;--run:#2563eb;--done:#15803d;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
width:100%;max-width:720px;height:auto}
@media (prefers-color-scheme:dark){.sp{--ink:#e8ecf2;--dim:#a3adba;--card:#222a35;--band:#181e26;--line:#55606e;--edge:#3a4452;
--go:#8793a2;--gate:#f0a94a;--forbid:#f47174;--run:#6ea8fe;--done:#57c785}}
.sp text{fill:var(--ink)}.sp .id{font-size:12.5px;font-weight:650}.sp .tool{font-size:11.5px}
.sp .dim{fill:var(--dim);font-size:11px}.sp .band{fill:var(--band)}.sp .card{fill:var(--card);stroke:var(--edge)}
.sp .wire{fill:none;stroke:var(--line);stroke-width:1.4}.sp .tip{fill:var(--line)}.sp .bar{fill:var(--go)}
.sp .gate .who{fill:var(--gate);font-weight:600}.sp .forbid .who{fill:var(--forbid);font-weight:600}
.sp .gate .bar{fill:var(--gate)}.sp .forbid .bar{fill:var(--forbid)}
.sp .running .bar{fill:var(--run)}.sp .done .bar,.sp .found .bar{fill:var(--done)}
.sp .failed .bar,.sp .refused .bar,.sp .unknown .bar{fill:var(--forbid)}
.sp .running .state{fill:var(--run)}.sp .done .state,.sp .found .state{fill:var(--done)}
.sp .failed .state,.sp .refused .state,.sp .unknown .state{fill:var(--forbid)}.sp .waiting .state{fill:var(--gate)}
.sp .skipped{opacity:.55}.sp .state{font-size:11px;font-weight:600}
"""


@dataclass(frozen=True)
class _Box:
    """Where a card stands: its left and top, its row counted over all layers, and its column (0 or 1)."""

    x: float
    y: float
    row: int
    column: int


def draw_svg(
    plan: Plan,
    needs: Mapping[str, Collection[str]],
    rulings: Mapping[str, Ruling],
    states: Mapping[str, str] | None = None,
) -> str:
    """The plan as one SVG element, layers from top to bottom.

    ``states`` may name a state for each step: planned, waiting, running, done, found, skipped, failed, refused or
    unknown. All text is escaped; nothing outside is loaded.
    """
    found, direct = layers(plan, needs), direct_needs(needs)
    boxes, bands, height = _place(found)
    wires = "".join(_wires(direct, boxes))
    cards = "".join(
        _card(step, boxes[step.id], rulings.get(step.id), (states or {}).get(step.id, ""), direct.get(step.id, []))
        for row in found
        for step in row
    )
    title = escape(f"Plan of {plan.playbook}: {len(boxes)} steps in {len(found)} layers")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sp" role="img" viewBox="0 0 {WIDTH} {height:g}">'
        f"<title>{title}</title><style>{_STYLE}</style>{bands}{wires}{cards}</svg>"
    )


def _place(found: list[list[Step]]) -> tuple[dict[str, _Box], str, float]:
    """Two cards side by side, rows as needed, a band behind each layer; the height in the end."""
    boxes: dict[str, _Box] = {}
    bands: list[str] = []
    y, row = 8.0, 0
    for number, steps in enumerate(found, 1):
        rows = (len(steps) + 1) // 2
        high = 2 * _BAND_PAD + rows * _HEIGHT + (rows - 1) * _ROW_GAP
        bands.append(f'<rect class="band" x="4" y="{y:g}" width="{WIDTH - 8}" height="{high}" rx="12"/>')
        bands.append(f'<text class="dim" x="15" y="{y + 24:g}" text-anchor="middle">{number}</text>')
        for index, step in enumerate(steps):
            line, column = divmod(index, 2)
            alone = len(steps) == 1
            x = (WIDTH - _CARD) / 2 if alone else _MARGIN + column * (_CARD + _GUTTER)
            top = y + _BAND_PAD + line * (_HEIGHT + _ROW_GAP)
            boxes[step.id] = _Box(x, top, row + line, column)
        row += rows
        y += high + _BAND_GAP
    return boxes, "".join(bands), y - _BAND_GAP + 8


def _wires(direct: Mapping[str, Collection[str]], boxes: Mapping[str, _Box]) -> list[str]:
    pairs = ((other, step_id) for step_id, wanted in direct.items() for other in wanted)
    both = ((boxes[other], boxes[step_id]) for other, step_id in pairs if step_id in boxes and other in boxes)
    return [_wire(start, end) for start, end in both if start.row < end.row]


def _wire(start: _Box, end: _Box) -> str:
    """A curve to the next row; further down, through the gutter beside the cards, never across one."""
    x1, y1, x2, y2 = start.x + _CARD / 2, start.y + _HEIGHT, end.x + _CARD / 2, end.y
    if end.row == start.row + 1:
        middle = (y1 + y2) / 2
        path = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2 - 5:g}"
    else:
        lane = _lane(start, end)
        path = (
            f"M{x1:g} {y1:g}C{x1:g} {y1 + 10:g} {lane:g} {y1:g} {lane:g} {y1 + 18:g}"
            f"V{y2 - 18:g}C{lane:g} {y2 - 2:g} {x2:g} {y2 - 14:g} {x2:g} {y2 - 5:g}"
        )
    tip = f'<path class="tip" d="M{x2:g} {y2:g}l-4 -7h8z"/>'
    return f'<path class="wire" d="{path}"/>{tip}'


def _lane(start: _Box, end: _Box) -> float:
    """The gutter on the side where the line begins and ends; the middle one where the sides differ."""
    if start.column == end.column == 1:
        return WIDTH - _MARGIN / 2
    return WIDTH / 2


def _card(step: Step, box: _Box, ruling: Ruling | None, state: str, wanted: Collection[str]) -> str:
    kind = ruling.kind.value if ruling else "unruled"
    left, right = box.x + 14, box.x + _CARD - 10
    corner = escape(state) if state else f"{step.confidence:.0%}"
    corner_class = "state" if state else "dim"
    after = f"after {', '.join(wanted)}"
    name = _fit(step.id, 172 - 7 * len(corner), 8.2)
    lines = [
        f'<g class="{kind} {_word(state)}"><title>{escape(_hover(step, ruling))}</title>',
        f'<rect class="card" x="{box.x:g}" y="{box.y:g}" width="{_CARD}" height="{_HEIGHT}" rx="8"/>',
        f'<rect class="bar" x="{box.x:g}" y="{box.y + 10:g}" width="4" height="{_HEIGHT - 20}" rx="2"/>',
        f'<text class="id" x="{left:g}" y="{box.y + 22:g}">{escape(name)}</text>',
        f'<text class="{corner_class}" x="{right:g}" y="{box.y + 22:g}" text-anchor="end">{corner}</text>',
        f'<text class="tool" x="{left:g}" y="{box.y + 41:g}">{escape(_fit(step.tool, 180, 6.4))}</text>',
        f'<text class="dim who" x="{left:g}" y="{box.y + 60:g}">{escape(_fit(_who(step, ruling), 180, 6.1))}</text>',
        f'<text class="dim" x="{left:g}" y="{box.y + 77:g}">{escape(_fit(after, 180, 6.1))}</text>' if wanted else "",
        "</g>",
    ]
    return "".join(lines)


def _word(state: str) -> str:
    return state if state.isalpha() and state.isascii() else ""


def _fit(text: str, room: float, each: float) -> str:
    most = max(4, int(room / each))
    return text if len(text) <= most else text[: most - 1] + "…"


def _who(step: Step, ruling: Ruling | None) -> str:
    if ruling is not None and ruling.kind is RulingKind.GATE:
        return f"◆ {', '.join(person.partition('@')[0] for person in ruling.approvers) or 'nobody may decide'}"
    if ruling is not None and ruling.kind is RulingKind.FORBID:
        return f"✕ {ruling.rule}"
    return "; ".join([*beside(step), *([f"if {condition_text(step.when)}"] if step.when is not None else [])]) or (
        "goes by itself" if ruling else "not ruled on"
    )


def _hover(step: Step, ruling: Ruling | None) -> str:
    parts = [f"{step.id}: {step.tool}", f"{step.reason} ({step.confidence:.0%} sure)", *beside(step)]
    if step.when is not None:
        parts.append(f"if {condition_text(step.when)}")
    if ruling is not None:
        parts.append(f"{ruling.kind.value}: {ruling.because}")
    return "\n".join(parts)
