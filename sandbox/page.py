"""The page that shows people what was done to the company."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader


def effects_page(**shown: Any) -> str:
    """Draw the page from the systems, their counts, the newest effects, the faults, and the company's time."""
    folder = Path(__file__).with_name("pages")
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True)
    return environment.get_template("effects.html").render(**shown)
