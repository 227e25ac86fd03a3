"""Where things stand on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in fractions of the page, origin at the top left, `x0 < x1` and `y0 < y1`.

    Raises `ValueError` for an empty box. A box may reach beyond the page; `clipped` cuts it to `[0, 1]`.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(f"an empty box: {self.as_list()}; x0 < x1 and y0 < y1 are needed")

    @classmethod
    def of(cls, values: list[float] | tuple[float, ...]) -> Self:
        """The box of four numbers `[x0, y0, x1, y1]`."""
        if len(values) != 4:
            raise ValueError(f"a box has four numbers [x0, y0, x1, y1], not {len(values)}")
        return cls(*(float(value) for value in values))

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    def as_list(self) -> list[float]:
        """The four numbers, rounded to a ten-thousandth of the page, as they stand in JSON."""
        return [round(value, 4) for value in (self.x0, self.y0, self.x1, self.y1)]

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The box on a page of `width` × `height` pixels, rounded to whole pixels."""
        return round(self.x0 * width), round(self.y0 * height), round(self.x1 * width), round(self.y1 * height)

    def widened(self, share_x: float, share_y: float) -> Box:
        """The box with a margin of `share_x` of its width on both sides and `share_y` of its height above and below."""
        dx, dy = self.width * share_x, self.height * share_y
        return Box(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)

    def clipped(self) -> Box:
        """The part of the box that lies on the page; `ValueError` where nothing does."""
        return Box(max(0.0, self.x0), max(0.0, self.y0), min(1.0, self.x1), min(1.0, self.y1))

    def overlap(self, other: Box) -> float:
        """Intersection over union of two boxes, 0 to 1."""
        across = min(self.x1, other.x1) - max(self.x0, other.x0)
        down = min(self.y1, other.y1) - max(self.y0, other.y0)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (self.width * self.height + other.width * other.height - shared)
