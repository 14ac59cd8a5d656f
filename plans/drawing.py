"""A plan draws itself: as text (``sketch``) and as a picture (``picture``)."""

from plans.picture import draw_svg
from plans.sketch import draw_text

__all__ = ["draw_svg", "draw_text"]
