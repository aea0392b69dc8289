"""Types of option values, options that several commands have, and checks of options that depend on each other."""

import math
import re
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import Any

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on stdout, and nothing else."
)


def _parse_memory(_context: click.Context, _option: click.Parameter, text: str) -> int:
    """The bytes of --memory."""
    from graphrec.errors import DataError
    from graphrec.ranking.memory import parse_memory

    try:
        return parse_memory(text)
    except DataError as error:
        raise click.BadParameter(str(error)) from error


#: Maximum of an option: libraries that the number is passed to hold 32 bits.
LARGEST = 2**31 - 1


class Number(click.IntRange):
    """A whole number from `least` to `most`."""

    min: int
    max: int

    def __init__(self, least: int = 1, most: int = LARGEST) -> None:
        super().__init__(least, most)

    def _describe_range(self) -> str:
        """The range as click writes it, without the upper bound LARGEST."""
        return super()._describe_range() if self.max != LARGEST else f"x>={self.min}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The number; wrong usage if there are other characters, or more digits than Python reads."""
        text = str(value).strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not self.min <= int(text) <= self.max:
            self.fail(f"{text[:60]!r} is not a whole number from {self.min} to {self.max}.", param, ctx)
        return int(text)


class Decimal(click.FloatRange):
    """A finite number; click's own type accepts nan and inf."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The number; wrong usage if it is not finite."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return found


class InPath(click.Path):
    """A path to read; wrong usage if it is empty or an address."""

    def __init__(self, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The path."""
        if not str(value) or "\0" in str(value):
            self.fail("a path must not be empty.", param, ctx)
        if re.match(r"[A-Za-z][\w+.-]*://", str(value)):  # not shown, as there may be a password in it
            self.fail("this is an address, not a file; download it first, and give the file.", param, ctx)
        return super().convert(value, param, ctx)


class OutPath(InPath):
    """A path to write; wrong usage if it has control characters, such as a line feed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The path."""
        from graphrec.characters import escape_controls

        if str(value) == "-":
            self.fail("- is not a file; name one, such as /dev/stdout, or ./- for a file of this name.", param, ctx)
        known = str(value).encode(errors="replace").decode()  # other bytes than UTF-8 may be in the name of a folder
        if escape_controls(known) != known:
            self.fail(f"'{escape_controls(known)}' has control characters in it; choose another name.", param, ctx)
        return super().convert(value, param, ctx)


def _parse_device(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """The device of --device; wrong usage if this machine does not have it."""
    if text == "cpu":
        return text
    match = re.fullmatch(r"(cpu|cuda|mps|xpu)(?::(\d{1,4}))?", text)
    if match is None:
        raise click.BadParameter(f"{text[:60]!r} is not a device; give cpu, cuda or cuda:1")
    import torch

    kind, number = match[1], int(match[2] or 0)
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
        "xpu": torch.xpu.device_count() if torch.xpu.is_available() else 0,
    }
    if number >= counts[kind]:
        available = f"{counts[kind]} {kind} device(s)" if counts[kind] else f"no {kind} that torch can use"
        raise click.BadParameter(f"there is no device {text}: this machine has {available}; give cpu, or another")
    return text


seed_option = click.option(
    "--seed", type=Number(0), default=0, show_default=True, help="Random seed; the same seed gives the same numbers."
)


device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    callback=_parse_device,
    help="Device on which models are fitted: cpu, cuda, cuda:1.",
)
memory_option = click.option(
    "--memory",
    default="1GiB",
    show_default=True,
    callback=_parse_memory,
    help="Cap on the memory for scores, such as 256MiB.",
)
trials_option = click.option(
    "--trials",
    type=Number(0, 100_000),
    help="Settings tried beyond a model's own candidates; by default eight for each setting, at most 40, and at most "
    "10 for more than 500,000 interactions.",
)
csv_safe_option = click.option(
    "--csv-safe",
    is_flag=True,
    help="In CSV, put an apostrophe before texts that a spreadsheet would run as formulas.",
)


#: Options of commands that ask a language model, in the order of `--help`.
_LLM_OPTIONS = (
    click.option("--url", default="", help="Address of an OpenAI-compatible endpoint: http://localhost:8000/v1."),
    click.option("--model", default="", help="Model that the endpoint is asked for. Its key is in GRAPHREC_LLM_KEY."),
    click.option("--timeout", type=Decimal(0.1, 3600), default=60, show_default=True, help="Seconds for an attempt."),
    click.option("--retries", type=Number(0, 20), default=2, show_default=True, help="Repetitions of an attempt."),
    click.option("--max-tokens", type=Number(0), default=0, help="Budget of tokens, sent and received; 0 for none."),
    click.option("--max-requests", type=Number(0), default=0, help="Budget of requests; 0 for none."),
    click.option("--parallel", type=Number(1, 256), default=4, show_default=True, help="Number of requests at a time."),
    click.option(
        "--allow-personal", is_flag=True, help="Also send properties of users, and others such as email addresses."
    ),
)


def llm_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a language model; the command is called with their values as `llm`, a dict for LlmConfig."""
    names = ("url", "model", "timeout", "retries", "max_tokens", "max_requests", "parallel", "allow_personal")

    @wraps(command)
    def call(**values: Any) -> None:  # Any: values of options
        command(
            **{name: value for name, value in values.items() if name not in names}, llm={n: values[n] for n in names}
        )

    for option in reversed(_LLM_OPTIONS):
        call = option(call)
    return call


SPLIT_HELP = (
    "Split into train, validation and test, such as time(test=0.2), random or leave-last-out; by default time if the "
    "behaviour has times and its last tenth has enough test users, else random."
)


def split_names(text: str) -> tuple[str, ...]:
    """The names of an option NAME,…; empty ones are left out."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parse_pair(text: str, option: str) -> tuple[str, str]:
    """Name and value of an option NAME=VALUE; wrong usage if it has another form."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"'{text}' is not of the form NAME=VALUE", param_hint=option)
    return name, value


def check_ending(path: Path | None, endings: Collection[str], option: str, what: str, needed: bool = False) -> None:
    """Raise UsageError if the ending of a file is not among `endings`; the message suggests the first of them.

    A name without an ending (`v1.2` has none) is accepted, unless the ending is `needed` to choose the format. A pipe
    or a device may have any name.
    """
    if path is None or path.suffix.lower() in endings:
        return
    if not needed and (not path.suffix or path.suffix[1:].isdigit()):
        return
    if path.is_relative_to("/dev") or (path.exists() and not path.is_file() and not path.is_dir()):
        return
    known = ", ".join(endings)
    found = f"ends in {path.suffix}" if path.suffix else "has no ending"
    raise click.UsageError(
        f"{option} {path.name} {found}, but {what} is written as {known}; "
        f"choose {path.with_suffix(next(iter(endings))).name}"
    )
