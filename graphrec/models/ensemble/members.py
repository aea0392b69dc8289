"""Parse and write the members of an ensemble as one line, such as `graph_filter(rank=64), ials`."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from graphrec.errors import DataError
from graphrec.models import make, model_class

#: Models that have members themselves, and what messages call one.
COMBINED = {"ensemble": "an ensemble", "hybrid": "a hybrid"}

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MEMBER = re.compile(rf'\s*(\w+)\s*(?:\(((?:[^()"]|{_QUOTED})*)\))?\s*(,|$)')
_SETTING = re.compile(rf'\s*(\w+)\s*=\s*({_QUOTED}|[^,()"]*?)\s*(,|$)')
_PLAIN = re.compile(r"[^\s,()\"]+")


@dataclass(frozen=True)
class Member:
    """The name of a model, and the texts of its settings that differ from the defaults."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)


def parse_members(text: str) -> list[Member]:
    """The members in a text such as `graph_filter(rank=64), ials`.

    A value with a comma, a bracket or blanks at its ends must be in double quotes.

    Raises:
        DataError: the text has another form, a setting appears twice or has an impossible value, or a member is an
            ensemble or a hybrid.
        UnknownNameError: there is no such model or setting.
    """
    found = []
    for name, inside in _split_list(_MEMBER, text, text):
        if name in COMBINED:
            raise DataError(f"members: {COMBINED[name]} cannot be a member of another model; name its members instead")
        settings: dict[str, str] = {}
        for key, value in _split_list(_SETTING, inside, text) if inside.strip() else []:
            if key in settings:
                raise DataError(f"members: {name} has {key} twice; keep one")
            settings[key] = json.loads(value) if value.startswith('"') else value
        make(name, **settings)  # raises early if a name or setting is wrong
        found.append(Member(name, settings))
    return found


def write_members(members: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """The text that `parse_members` reads as these models and configs.

    Settings with default values are left out; a config of default values alone keeps one, because a member without
    settings has the default for the graph.
    """
    written = []
    for name, config in members:
        defaults = asdict(model_class(name).config_class())
        changed = {key: value for key, value in config.items() if defaults.get(key) != value}
        kept = changed or dict(list(config.items())[:1])
        inside = ", ".join(f"{key}={_quote(value)}" for key, value in kept.items())
        written.append(f"{name}({inside})" if inside else name)
    return ", ".join(written)


def _quote(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _split_list(pattern: re.Pattern[str], text: str, whole: str) -> list[tuple[str, str]]:
    """The first two groups of the pattern for each element of a comma-separated list."""
    found, position, more = [], 0, True
    while more:
        part = pattern.match(text, position)
        if part is None:
            raise DataError(
                f"members: {whole!r} cannot be read at {text[position:].strip()[:30]!r}; write models with their "
                "settings, such as `graph_filter(rank=64), ials`"
            )
        found.append((part[1], part[2] or ""))
        position, more = part.end(), part[3] == ","
    return found
