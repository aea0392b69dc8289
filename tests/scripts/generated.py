"""Command lines and TOML specs made at random from what the commands declare: the same for the same number."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from random import Random

import click

from graphrec.tabular.parsing import KEYS

SECRET = "S3cretPw"

TEXTS = (
    "", " ", "x", "1", "-1", "0.5", "a\nb", "a\tb", "\x1b[31mred", "\u202eabc", "..", "../../etc/passwd", "a/b", "a\\b",
    "%s%n{0}", "\ufffe", "\udcff", "None", "nan", "-inf", "1e999", "time", "time(test=0.2)", "time(test=", "k-fold",
    "{", "}", "'", '"', "`", "$(id)", "=1+1", "User", "RATED", "latest", "u1", "i1", "s:u1", "é", "日本", "👩‍👧",
    "rolling(windows=99999999999)", "random(test=2)",
    "leave-last-out", "popularity", "item_knn", "no_such", "1GiB", "-5MiB", "9" * 30, "9" * 5_000, "x" * 300,
    "y" * 100_000, "a=b", "k=",
    "=v", "k=99999999999999999999", "user_id=u1", "item_id=i1", "user_id=\udcff", "ftp://x", "7d", "-7d", "9999999999d",
    "[REC]", "\0",
    f"postgresql://u:{SECRET}@h/d", f"https://{SECRET}@h", f"DRIVER=x;PWD={SECRET};", f"sqlite:///x.db?password={SECRET}",
)  # fmt: skip
NUMBERS = (
    "0", "1", "2", "3", "10", "-1", "-0", "+5", "1.5", "", "x", "1e3", "0x10", "१", "2147483647", "2147483648",
    "9" * 19, "9" * 40,
    "9" * 5_000, "nan", "inf", "-inf", "1_000", " 7 ",
)  # fmt: skip
#: Numbers that let a command that does work end soon.
FEW = ("1", "2", "3", "0", "-1", "x", "99999999999999999999")

#: Commands that would work for long or end the store of the tests: always, and if they meet a store.
ENDLESS = {"demo", "doctor", "store start", "store stop", "mcp", "consume", "operate"}
LEFT_OUT = {*ENDLESS, "tune", "evaluate", "blend", "benchmark", "serve", "replay", "enrich", "judge"}


def commands() -> dict[str, click.Command]:
    """Every command by its name, such as `store status`."""
    cli = import_module("graphrec.scripts").cli
    context = click.Context(cli)
    found: dict[str, click.Command] = {}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": part for inner, part in command.commands.items()}
        else:
            found[name] = command
    return found


class Lines:
    """Command lines over files below one folder; with a `live` store only commands that end soon."""

    def __init__(self, folder: Path, live: bool) -> None:
        self.folder, self.live = folder, live
        known = commands()
        self.commands = {name: known[name] for name in known if name not in (LEFT_OUT if live else ENDLESS)}

    def line(self, number: int) -> list[str]:
        """The command line of a number."""
        rng = Random(f"line {number} {self.live}")
        name = rng.choice(sorted(self.commands))
        arguments: list[str] = []
        for param in self.commands[name].params:
            if isinstance(param, click.Argument):
                arguments += [self._value(rng, name, param) for _ in range(rng.choice((0, 1, 1, 1, 1, 2)))]
            elif isinstance(param, click.Option) and rng.random() < (0.9 if param.required else 0.25):
                arguments.append(rng.choice(param.opts))
                if not param.is_flag and rng.random() < 0.97:
                    arguments.append(self._value(rng, name, param))
        if rng.random() < 0.03:
            arguments.insert(rng.randrange(len(arguments) + 1), rng.choice(TEXTS))
        if self.live and name == "train":
            arguments += ["--no-metrics", "--model", "popularity"]
        if self.live and name == "unlink":
            arguments.append("--dry-run")
        return [*name.split(), *(text for text in arguments if text not in ("--help", "-h"))]

    def _value(self, rng: Random, name: str, param: click.Parameter) -> str:
        if isinstance(param.type, click.Path):
            return self._path(rng)
        if isinstance(param.type, click.Choice) and rng.random() < 0.7:
            return str(rng.choice(list(param.type.choices)))
        if isinstance(param.type, click.IntRange | click.FloatRange):
            return rng.choice(FEW if self.live or name in LEFT_OUT else NUMBERS)
        if name == "load" and param.name == "source":
            return rng.choice([str(self.spec(rng)), "lastfm", "imdb", "table", rng.choice(TEXTS)])
        if name == "query" and param.name == "name" and rng.random() < 0.7:
            from graphrec.store import queries

            return rng.choice(queries.names())
        return rng.choice(TEXTS)

    def _path(self, rng: Random) -> str:
        """A path below the folder, there or not; what is in the folder is never a device."""
        if rng.random() < 0.2:
            return str(self.spec(rng))
        names = (
            "none",
            "none/none",
            "i.csv",
            "sub",
            "bin",
            "made.html",
            "made.md",
            "made.pt",
            "made.svg",
            "made",
            "z" * 300,
            "a\nb",
            "é.csv",
            "\udcff",
        )
        return str(self.folder / rng.choice(names))

    def spec(self, rng: Random) -> Path:
        """A TOML file with keys that specs know, and values of any kind."""
        path = self.folder / f"spec-{rng.randrange(10**9)}.toml"
        text = "\n".join(_tables(rng))
        if rng.random() < 0.1:
            position = rng.randrange(len(text) + 1)
            text = text[:position] + rng.choice(("]", "\0", "=", '"', "[[[", "\ud800")) + text[position:]
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return path


def write_files(folder: Path) -> None:
    """The files that lines and specs name."""
    (folder / "sub").mkdir()
    (folder / "i.csv").write_text(
        "id,title,user,when\ni1,One,u1,2024-01-01\ni2,=1+1,u2,yesterday\n,\x1b[1m,,\n", "utf-8"
    )
    (folder / "bin").write_bytes(bytes(range(256)) * 8)
    (folder / "bad.jsonl").write_text('{"id": 1}\n[\n{"id": {}}\n', encoding="utf-8")


def _tables(rng: Random) -> Iterator[str]:
    if rng.random() < 0.9:
        yield f"name = {_text(rng, 'shop')}"
    for key in KEYS["file"][1:6]:
        if rng.random() < 0.1:
            yield f"{key} = {_any(rng)}"
    if rng.random() < 0.1:
        yield f"{rng.choice(('nodes', 'edges', 'links', 'nmae'))} = {_any(rng)}"
        return
    for kind, names in (
        ("nodes", ("Item", "User", "item", '"a b"')),
        ("edges", ("RATED", "VIEWED", "rated", '"\\u0000"')),
    ):
        for name in rng.sample(names, rng.choice((0, 1, 1, 2))):
            yield f"[{kind}.{name}]"
            yield from _keys(rng, kind)
    if rng.random() < 0.2:
        yield "[[links]]"
        yield from _keys(rng, "links")


def _keys(rng: Random, kind: str) -> Iterator[str]:
    usual: dict[str, str] = {
        "file": '"i.csv"',
        "id": '"id"',
        "from": '"User:user"',
        "to": '"Item:id"',
        "label": '"Item"',
    }
    for key in KEYS[kind]:
        if key in usual and (kind != "links" or key == "label"):
            if rng.random() < 0.85:
                yield f"{key} = {usual[key] if rng.random() < 0.8 else _any(rng)}"
        elif rng.random() < 0.12:
            yield f"{key} = {_any(rng)}"
    if rng.random() < 0.05:
        yield f"unknown = {_any(rng)}"


def _text(rng: Random, usual: str) -> str:
    text = usual if rng.random() < 0.6 else rng.choice(TEXTS)
    return json.dumps(text if text.isascii() or text.encode("utf-8", "ignore").decode() == text else usual)


def _any(rng: Random, depth: int = 0) -> str:
    """Any value of TOML."""
    plain = [
        "title",
        "i.csv",
        "*.csv",
        "bad.jsonl",
        "bin",
        "sub",
        "none.csv",
        "id",
        "%Y",
        "utf-16",
        "cp1252",
        "\\",
    ]
    scalars = (
        _text(rng, rng.choice(plain)), rng.choice(("0", "1", "-1", "99999999999999999999", "1.5", "nan", "-inf")),
        rng.choice(("true", "false")), "2024-01-01", "2024-01-01T00:00:00Z", "12:00:00",
    )  # fmt: skip
    if depth > 2 or rng.random() < 0.7:
        return rng.choice(scalars) if rng.random() < 0.4 else scalars[0]
    if rng.random() < 0.5:
        return "[" + ", ".join(_any(rng, depth + 1) for _ in range(rng.choice((0, 1, 2)))) + "]"
    keys = rng.sample(("name", "column", "type", "format", "unit", "zone", "id"), 2)
    return "{ " + ", ".join(f"{key} = {_any(rng, depth + 1)}" for key in keys) + " }"
