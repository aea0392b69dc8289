"""HTML from templates, in which every value is escaped, and the files that the page loads."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from graphrec.characters import remove_controls
from graphrec.explanation.svg import STYLE
from graphrec.explanation.text import percent
from graphrec.time_format import moment_text

#: Media types of the files that the page loads.
FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def render(template: str, **values: object) -> str:
    """The HTML of a template."""
    return _environment().get_template(template).render(values)


@cache
def read_file(name: str) -> bytes:
    """A file of `FILES`; the style sheet has the style of explanations too."""
    content = (files(__package__) / "static" / name).read_bytes()
    return content + STYLE.encode() if name == "page.css" else content


@cache
def file_address(name: str) -> str:
    """The address of a file, which changes with its content, so that browsers may keep it."""
    return f"/files/{name}?v={hashlib.sha256(read_file(name)).hexdigest()[:12]}"


def address(path: str, parameters: Mapping[str, object]) -> str:
    """A path of the page with percent-encoded parameters; those that are None or empty are left out."""
    pairs = [
        f"{name}={quote(str(each), safe='')}"
        for name, value in parameters.items()
        for each in (value if isinstance(value, list | tuple) else [value])
        if each not in (None, "", 0)
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def node_address(label: str, id_: str) -> str:
    """The address of a node's page."""
    if label in ("User", "Item"):
        return address(f"/{label.lower()}", {"id": id_})
    return address("/value", {"label": label, "id": id_})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(str(files(__package__) / "templates")),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    environment.globals |= {"address": address, "node_address": node_address, "file_address": file_address}
    environment.filters |= {
        "date": _format_date,
        "moment": lambda seconds: f"{moment_text(int(seconds))[:16]} UTC",
        "day": lambda seconds: moment_text(int(seconds))[:10],
        "number": lambda number: f"{number:,}",
        "percent": percent,
        "words": lambda name: str(name).replace("_", " ").lower(),
        "ago": _format_age,
        "duration": _format_duration,
    }
    return environment


def _clean(value: Any) -> Any:  # any value of a template
    """Texts without control characters and characters that reverse the text after them; nothing for None."""
    if value is None:
        return ""
    return remove_controls(value) if type(value) is str else value


def _format_date(text: str) -> str:
    """A time in ISO 8601 as date and minute."""
    return f"{text[:16].replace('T', ' ')} UTC"


def _format_duration(seconds: float) -> str:
    """A time below 1 s in milliseconds, else in seconds, with two significant digits."""
    if seconds >= 0.9995:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.00995 else f"{seconds * 1000:.1f} ms"


def _format_age(moment: float | str, now: float | None = None) -> str:
    """The time from a moment (Unix seconds, or a text in ISO 8601) until now, in the largest unit: `3 hours ago`."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment).timestamp()
    seconds = (datetime.now(UTC).timestamp() if now is None else now) - moment
    if seconds < 60:
        return "just now" if seconds >= -60 else "in the future"
    for unit, size in (("year", 31_556_952), ("month", 2_629_746), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number:,} {unit}{'' if number == 1 else 's'} ago"
    raise AssertionError(seconds)
