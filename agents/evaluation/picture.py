"""The evaluation as one picture: right answers by group with their intervals, and how far confidence can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from agents.evaluation.figures import Figures, Share, figures
from agents.evaluation.report import Evaluation

WIDTH = 720
_LEFT, _RIGHT, _TOP, _ROW = 150, 680, 64, 44
_STYLE = """
.ev{--ink:#1c2430;--dim:#5b6675;--back:#ffffff;--line:#d5dae1;--all:#2563eb;--held:#b45309;width:100%;max-width:720px;
height:auto;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.ev{--ink:#e8ecf2;--dim:#a3adba;--back:#181e26;--line:#3a4452;--all:#6ea8fe;
--held:#f0a94a}}
.ev .back{fill:var(--back)}.ev text{fill:var(--ink);font-size:13px}.ev .dim{fill:var(--dim);font-size:11px}
.ev .title{font-size:16px}.ev .grid{stroke:var(--line)}.ev .all{fill:var(--all);stroke:var(--all)}
.ev .held{fill:var(--held);stroke:var(--held)}.ev .span{stroke-width:2;fill:none}.ev .even{stroke:var(--dim);stroke-dasharray:4 4}
"""


def draw(evaluation: Evaluation) -> str:
    """One SVG that stands by itself, readable light and dark; all text is escaped."""
    rows = [("all", evaluation.whole, evaluation.held_out)]
    for name, results in evaluation.groups.items():
        found = figures(results)
        if found.triage.n:
            rows.append((name, found, figures(result for result in results if result.case.held_out)))
    bottom = _TOP + _ROW * len(rows)
    parts = [
        f'<text class="title" x="24" y="26">{escape(f"Right answers by group, {evaluation.against}")}</text>',
        _legend(),
        *_axis(bottom),
        *(_row(number, row) for number, row in enumerate(rows)),
        *_reliability(evaluation.whole, bottom + 60),
    ]
    height = bottom + (400 if evaluation.whole.bins else 50)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="ev" viewBox="0 0 {WIDTH} {height}" role="img">'
    back = f'<rect class="back" width="{WIDTH}" height="{height}"/>'
    return "\n".join([head, "<title>Evaluation</title>", f"<style>{_STYLE}</style>", back, *parts, "</svg>", ""])


def _legend() -> str:
    return (
        '<circle class="all" cx="30" cy="44" r="4"/><text class="dim" x="40" y="48">all</text>'
        '<circle class="held" cx="80" cy="44" r="4"/><text class="dim" x="90" y="48">held out; bars are 95 % intervals</text>'
    )


def _axis(bottom: float) -> list[str]:
    parts = []
    for tenths in range(0, 11, 2):
        x = _x(tenths / 10)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text class="dim" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tenths * 10} %</text>')
    return parts


def _row(number: int, row: tuple[str, Figures, Figures]) -> str:
    name, whole, held = row
    y = _TOP + _ROW * number + _ROW / 2
    label = f'<text x="{_LEFT - 14}" y="{y}" text-anchor="end">{escape(name)}</text>'
    label += f'<text class="dim" x="{_LEFT - 14}" y="{y + 14}" text-anchor="end">{whole.triage.n} requests</text>'
    return label + _mark(whole.triage, y - 6, "all") + _mark(held.triage, y + 10, "held")


def _mark(share: Share, y: float, kind: str) -> str:
    if share.value is None:
        return ""
    low, high = share.interval
    return (
        f'<path class="span {kind}" d="M{_x(low):.1f} {y}H{_x(high):.1f}"/>'
        f'<circle class="{kind}" cx="{_x(share.value):.1f}" cy="{y}" r="4.5"/>'
    )


def _x(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * share


def _reliability(found: Figures, top: float) -> Sequence[str]:
    """Confidence to the right, the share that was right upwards; on the dashed line both agree."""
    if not found.bins:
        return []
    left, size, floor = _LEFT, 260, top + 290
    parts = [
        f'<text class="title" x="24" y="{top}">How far confidence can be believed</text>',
        f'<path class="grid" fill="none" d="M{left} {floor - size}V{floor}H{left + size}"/>',
        f'<path class="even" d="M{left} {floor}L{left + size} {floor - size}"/>',
        f'<text class="dim" x="{left + size / 2}" y="{floor + 34}" text-anchor="middle">confidence</text>',
        f'<text class="dim" x="{left - 48}" y="{floor - size / 2 + 4}" text-anchor="end">were right</text>',
    ]
    for part in (0, 0.5, 1):
        at = f"{part:.0%}".replace("%", " %")
        parts.append(f'<text class="dim" x="{left + size * part}" y="{floor + 16}" text-anchor="middle">{at}</text>')
        parts.append(f'<text class="dim" x="{left - 8}" y="{floor - size * part + 4}" text-anchor="end">{at}</text>')
    for one in found.bins:
        x = left + size * one.confidence
        low, high = floor - size * one.low, floor - size * one.high
        parts.append(f'<path class="span all" d="M{x:.1f} {low:.1f}V{high:.1f}"/>')
        parts.append(f'<circle class="all" cx="{x:.1f}" cy="{floor - size * one.share:.1f}" r="4.5"/>')
        parts.append(
            f'<text class="dim" x="{x - 9:.1f}" y="{floor - size * one.share + 4:.1f}" text-anchor="end">{one.n}</text>'
        )
    scores = f"Brier score {found.brier:.3f}, calibration error {found.ece:.3f}"
    return [*parts, f'<text class="dim" x="{left + size + 40}" y="{floor - size + 12}">{scores}</text>']
