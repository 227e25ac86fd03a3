"""Lines over time or steps as inline SVG, without a script and readable in black and white."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

#: Size of the plot and the room around it, in pixels.
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BELOW = 420, 160, 56, 28, 12, 38

#: A colour and a dash for each line, in turn; each has a contrast of at least 4.5 on white.
STROKES = (("#1f5fa8", ""), ("#b3261e", "6 3"), ("#2e6b2e", "2 3"))


@dataclass(frozen=True, slots=True)
class Line:
    """Points in the order of x. `steps`: a value stands until the next point."""

    name: str
    points: Sequence[tuple[float, float]]
    steps: bool = False


def lines(
    title: str, every: Sequence[Line], *, x_marks: Mapping[float, str], percent: bool = False, floor: float = 0.0
) -> Markup:
    """A chart whose y axis goes from `floor` to the greatest value; `x_marks` are written under their places. What it
    shows at the end stands in its title too, for those who don't see it."""
    points = [point for line in every for point in line.points]
    xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
    left, right, top = min(xs), max(xs), max(*ys, floor + 1e-9)

    def x(value: float) -> float:
        return round(LEFT + WIDTH * (0.5 if right == left else (value - left) / (right - left)), 1)

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (1 - (max(value, floor) - floor) / (top - floor)), 1)

    def said(value: float) -> str:
        return f"{value:.2%}" if percent else f"{value:.3g}"

    ends = "; ".join(f"{one.name} {said(one.points[-1][1])} at the end" for one in every if one.points)
    width, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BELOW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="#1b1b1b">',
        f"<title>{html.escape(title)}: {html.escape(ends or 'nothing yet')}</title>",
        f'<text x="{LEFT}" y="16" font-size="13" font-weight="bold">{html.escape(title)}</text>',
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#767676"/>',
    ]
    for value in (floor, (floor + top) / 2, top):
        parts.append(f'<text x="{LEFT - 5}" y="{y(value) + 4}" text-anchor="end">{said(value)}</text>')
    for place, text in x_marks.items():
        anchor = "start" if place == left else "end" if place == right else "middle"
        parts.append(f'<text x="{x(place)}" y="{TOP + HEIGHT + 14}" text-anchor="{anchor}">{html.escape(text)}</text>')
    for number, one in enumerate(every):
        colour, dash = STROKES[number % len(STROKES)]
        style = f'fill="none" stroke="{colour}" stroke-width="1.8"' + (f' stroke-dasharray="{dash}"' if dash else "")
        parts.append(f'<path d="{_path([(x(a), y(b)) for a, b in one.points], one.steps)}" {style}/>')
        if len(one.points) == 1:
            parts.append(f'<circle cx="{x(one.points[0][0])}" cy="{y(one.points[0][1])}" r="3" fill="{colour}"/>')
        at = LEFT + 130 * number
        parts.append(f'<line x1="{at}" y1="{height - 8}" x2="{at + 22}" y2="{height - 8}" {style}/>')
        parts.append(f'<text x="{at + 27}" y="{height - 4}">{html.escape(one.name)}</text>')
    return Markup("\n".join([*parts, "</svg>"]))  # noqa: S704 — names are escaped above.


def _path(points: Sequence[tuple[float, float]], steps: bool) -> str:
    if not points:
        return ""
    first, *others = points
    drawn = [f"M{first[0]} {first[1]}"]
    drawn += [f"H{a}V{b}" if steps else f"L{a} {b}" for a, b in others]
    return "".join(drawn)
