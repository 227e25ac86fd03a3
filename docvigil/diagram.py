"""Reliability diagrams as SVG: how often answers of a confidence are right, beside how often they claim to be."""

from __future__ import annotations

from collections.abc import Sequence

from models.scores import Bin

#: Side of the plot and the room around it, in pixels.
SIDE, LEFT, TOP, BELOW = 220, 44, 30, 40


def reliability(title: str, bins: Sequence[Bin]) -> str:
    """One diagram. A dot stands at the mean confidence of a bin and the share of its answers that is right, with the
    95 % interval; its area grows with how many they are. The line is where claim and truth agree."""
    total = sum(one.count for one in bins)
    width, height = LEFT + SIDE + 12, TOP + SIDE + BELOW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11" fill="#1b1b1b">',
        f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{title} ({total:,} answers)</text>',
        f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4 3"/>',
    ]
    for mark in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text x="{_x(mark)}" y="{TOP + SIDE + 14}" text-anchor="middle">{mark:g}</text>')
        parts.append(f'<text x="{LEFT - 5}" y="{_y(mark) + 4}" text-anchor="end">{mark:g}</text>')
    parts.append(f'<text x="{_x(0.5)}" y="{TOP + SIDE + 32}" text-anchor="middle">confidence</text>')
    middle = TOP + SIDE / 2
    parts.append(f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">right</text>')
    for one in bins:
        x, radius = _x(one.confidence), 2.5 + 9 * (one.count / total) ** 0.5
        parts.append(f'<line x1="{x}" y1="{_y(one.low)}" x2="{x}" y2="{_y(one.high)}" stroke="#1f5fa8"/>')
        parts.append(
            f'<circle cx="{x}" cy="{_y(one.right)}" r="{radius:.1f}" fill="#1f5fa8" fill-opacity="0.55">'
            f"<title>{one.count:,} answers, confidence {one.confidence:.3f}, right {one.right:.3f}</title></circle>"
        )
    return "\n".join([*parts, "</svg>"])


def _x(share: float) -> float:
    return round(LEFT + SIDE * share, 1)


def _y(share: float) -> float:
    return round(TOP + SIDE * (1 - share), 1)
