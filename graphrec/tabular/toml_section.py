"""Checked access to a table of a TOML file: known keys, typed values, and errors that name table and key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphrec.errors import DataError, first_few, format_value, nearest

_TYPES: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}

#: Keys whose values are database URLs, which may contain passwords.
_ADDRESSES = ("url", "connection", "connections")


@dataclass(frozen=True)
class TomlSection:
    """The keys and values of one table; `place` is its name in messages, such as shop.toml [nodes.User]."""

    place: str
    values: Mapping[str, Any]  # Any: TOML values

    @staticmethod
    def of(path: Path, name: str, values: object) -> "TomlSection":
        """The section for a value of the file; DataError if the value is not a table."""
        place = f"{path} [{name}]" if name else str(path)
        if not isinstance(values, dict):
            raise DataError(f"{place} must be a table of keys and values, not {format_value(repr(values), 60)}")
        return TomlSection(place, values)

    def require_known(self, keys: Iterable[str]) -> None:
        """Raise DataError with the nearest known key if a key is unknown."""
        known = list(keys)
        for key in self.values:
            if key not in known:
                close = nearest(key, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"it may have {first_few(known, 30)}"
                raise self.error(key, f"is not a key of this table; {hint}")

    def error(self, key: str, problem: str) -> DataError:
        """A DataError about a key, to be raised."""
        return DataError(f"{self.place}: {key} {problem}")

    def text(self, key: str, default: str | None = None, may_be_empty: bool = False) -> str:
        """The text of a key; DataError if it is missing without a default, not a text, or empty."""
        value = self._read(key, str, default)
        if value == "" and default != "" and not may_be_empty:
            raise self.error(key, "must not be empty")
        return str(value)

    def whole(self, key: str, default: int) -> int:
        """The integer of a key."""
        return int(self._read(key, int, default))

    def number(self, key: str, default: float) -> float:
        """The number of a key, whole or not."""
        value = self._read(key, (int, float), default)
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """The boolean of a key."""
        return bool(self._read(key, bool, default))

    def choice(self, key: str, choices: Iterable[str], default: str) -> str:
        """The text of a key, which must be one of the choices."""
        value = self.text(key, default)
        known = list(choices)
        if value not in known:
            close = nearest(value, known, 1)
            raise self.error(key, f"is '{value}', but must be {' or '.join(known)}{_suggest(close)}")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """The texts of a key whose value is one text or a list of texts."""
        if key not in self.values and default is not None:
            return default
        value = self.values.get(key)
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self._type_error(key, "a text or a list of texts")
        return tuple(items)

    def section(self, key: str) -> "TomlSection":
        """The table at a key; empty if the key is missing."""
        value = self._read(key, dict, {})
        return TomlSection(f"{self.place} {key}", value)

    def has(self, key: str) -> bool:
        """Whether the table has the key."""
        return key in self.values

    def _read(
        self, key: str, kind: type | tuple[type, ...], default: object
    ) -> Any:  # Any: of the kind, as just checked
        if key not in self.values:
            if default is None:
                raise self.error(key, "is missing; it is needed")
            return default
        value = self.values[key]
        is_kind = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not is_kind:
            raise self._type_error(key, _TYPES[kind if isinstance(kind, type) else kind[-1]])
        return value

    def _type_error(self, key: str, kind: str) -> DataError:
        return self.error(key, f"must be {kind}" + (f", not {self._format(key)}" if self.has(key) else ""))

    def _format(self, key: str) -> str:
        """The value of a key for messages; only its type if it is a URL, which may contain a password."""
        value = self.values[key]
        secret = key in _ADDRESSES or any(name in self.place for name in _ADDRESSES)
        return _name_type(value) if secret else format_value(repr(value), 60)


def _suggest(close: list[str]) -> str:
    return f"; did you mean {close[0]}?" if close else ""


def _name_type(value: object) -> str:
    """The type of a TOML value in words, such as `a list`."""
    return next((name for kind, name in _TYPES.items() if type(value) is kind), "a date or time")
