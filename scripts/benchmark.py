"""Measure models on fixed splits, and the choice of their settings on many; show results as tables and a plot."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _completion, _options, _terminal

if TYPE_CHECKING:
    from graphrec import BenchmarkConfig, PanelConfig
    from graphrec.benchmark.datasets import SplitKind

FOLDER = _options.OutPath(file_okay=False)
NAMES = (
    "gowalla, yelp2018, douban-book-social, douban-book, lastfm-hetrec, tmall-mbcgcn, retailrocket-sslrec, "
    "citeulike-a-cold, ml-1m-diffrec, ml-100k-gan, ml-100k-u1 to -u5; the next item: beauty, toys, sports, lastfm-s3, "
    "yelp-s3, beauty-bert4rec, ml-1m, ml-1m-ncf; "
    "our own splits: NAME-random of ml-100k, ml-latest-small, ml-1m, ciao, filmtrust, steam and "
    "amazon-musical-instruments, NAME-time of ml-100k, ml-latest-small, ml-1m, ciao and amazon-musical-instruments"
)
#: How a test part may have been drawn, as `SplitKind` in graphrec.benchmark.datasets, which would import torch.
DRAWN = ("random", "time", "last", "next", "unknown")
#: Environment variables from which numpy and torch read the number of threads when they are imported.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


#: Parameters of the command that --panel may be combined with.
PANEL_PARAMETERS = frozenset(
    {"data", "panel", "models", "trials", "device", "threads", "memory", "output", "table", "seed", "as_json"}
)


@click.command(
    epilog="Example: graphrec benchmark gowalla --model graph_filter --model ials --output results && "
    "graphrec benchmark --output results --table --plot results/quality"
)
@click.argument("data", nargs=-1, metavar="[NAME | TRAIN TEST | --panel NAME…]")
@click.option("--social", type=_options.InPath(), help="File of who follows whom, in the form of TRAIN.")
@click.option(
    "--drawn",
    type=click.Choice(DRAWN),
    help="How the test part of TRAIN and TEST was drawn, as far as you know: a random part, the newest interactions, "
    "one (the last) of each user, or the one that comes next after TRAIN. With `time` and `next`, held-out parts are "
    "drawn by time too; the items of each user must then be in the order of time, the oldest first. With `next`, the "
    "rank of the one test item of each user is measured. The others are treated alike, as TRAIN has no times. By "
    "default unknown.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    shell_complete=_completion.models,
    help="Model to measure; repeatable, each in a process of its own. By default graph_filter.",
)
@click.option(
    "--only", multiple=True, metavar="RELATION", help="Keep only these relations besides the target; repeatable."
)
@click.option("--without", multiple=True, metavar="RELATION", help="Leave a relation out; repeatable.")
@click.option(
    "--ablate",
    multiple=True,
    metavar="RELATION[,…]",
    help="Measure again without these relations (`all`: without any), and show their effect; repeatable.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Setting of the model, used instead of tuning; settings not named have the values of the model's config "
    "class; repeatable.",
)
@click.option("--defaults", is_flag=True, help="Use the model's default settings for this data set instead of tuning.")
@click.option(
    "--trials",
    type=_options.Number(0, 100_000),
    help="Settings tried beyond the model's own candidates; by default eight for each setting, at most 40, and at most "
    "10 for more than 500,000 interactions.",
)
@click.option("--label", default="", help="Name of the result in the table; by default the model.")
@_options.device_option
@click.option(
    "--threads", type=_options.Number(1, 4_096), help="Number of threads of torch and numpy; by default all cores."
)
@click.option("--memory", help="Memory for scores at one time, such as 256MiB.")
@click.option(
    "--panel",
    is_flag=True,
    help="Measure how well settings of a model are chosen, on the data sets NAME…, by default on all rankings that "
    "GRAPHREC_DATA has. The folder --output keeps every step, and an interrupted run continues from it.",
)
@click.option("--output", type=FOLDER, help="Folder of results; each is saved there as a file.")
@click.option("--table", is_flag=True, help="Print all results of --output as one Markdown table.")
@click.option("--plot", type=_options.OutPath(), help="Draw all results of --output, as .svg and .png.")
@_options.seed_option
@_options.json_option
def command(
    data: tuple[str, ...],
    social: Path | None,
    drawn: "SplitKind | None",
    models: tuple[str, ...],
    only: tuple[str, ...],
    without: tuple[str, ...],
    ablate: tuple[str, ...],
    settings: tuple[str, ...],
    defaults: bool,
    trials: int | None,
    label: str,
    device: str,
    threads: int | None,
    memory: str | None,
    panel: bool,
    output: Path | None,
    table: bool,
    plot: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Measure models on a fixed split: NAME is a data set in the folder of GRAPHREC_DATA; TRAIN and TEST are files
    with one line per user, `user item item …`.

    Settings are chosen on held-out parts of the training interactions, drawn as the test part was: if by time, the
    newest fifth of each history and the last interaction of each user; if it is the last of each user, these; else, and
    for data without times, a random tenth and a random interaction of each user. Settings other than the default must
    be better there by more than one standard error, and not worse by more on parts of another kind. The test part is
    used once. Edges of other behaviours that reveal test pairs are removed first. Files may be compressed with gzip. No
    store is needed.

    --panel measures how well settings are chosen: on each data set NAME, every candidate of the model and the settings
    that the search selects are fitted and tested. The table compares three choices with the best of these, which is
    known only after the test: the default, the candidate that is best on the other data sets, and the search.
    """
    if panel:
        _require_panel_options()
        if output is None or len(models) > 1:
            raise click.UsageError("--panel needs --output, a folder that keeps every step, and measures one --model")
        from graphrec import PanelConfig
        from graphrec.ranking.memory import MEMORY_BUDGET, parse_memory

        _set_threads(threads)
        budget = MEMORY_BUDGET if memory is None else parse_memory(memory)
        panel_config = PanelConfig(output, data, trials, seed, device, budget)
        _run_panel(models[0] if models else "graph_filter", panel_config, table, as_json)
        return
    if len(data) > 2 or (social is not None and len(data) != 2):
        raise click.UsageError("give the name of one data set, or two files TRAIN and TEST (and --social FILE)")
    if drawn is not None and len(data) != 2:
        raise click.UsageError("--drawn is for two files TRAIN and TEST; the split of a NAME has it in its definition")
    if (table or plot) and output is None:
        raise click.UsageError("--table and --plot show the results of a folder; name it with --output")
    _options.check_ending(plot, (".svg", ".png"), "--plot", "a plot")
    if not data and not (table or plot):
        raise click.UsageError(f"give a data set ({NAMES}) or two files TRAIN and TEST; or --output with --table")
    if data:
        from graphrec import BenchmarkConfig
        from graphrec.ranking.memory import MEMORY_BUDGET, parse_memory

        _set_threads(threads)
        given = dict(_options.parse_pair(text, "--set") for text in settings)
        train, test = map(Path, data) if len(data) == 2 else (None, None)
        config = BenchmarkConfig(
            dataset="" if len(data) == 2 else data[0],
            train=train,
            test=test,
            social=social,
            only=only,
            without=without,
            ablate=tuple(tuple(text.split(",")) for text in ablate),
            settings=given if given or defaults else None,
            num_trials=trials,
            seed=seed,
            device=device,
            memory_budget=MEMORY_BUDGET if memory is None else parse_memory(memory),
            label=label,
            output=output,
            drawn=drawn or "unknown",
        )
        results = _measure(models or ("graph_filter",), config, threads)
        if as_json:
            _terminal.print_json(results)
        else:
            for result in results:
                _show_result(result)
    if output is not None:
        _show_results(output, table, plot)


def _require_panel_options() -> None:
    """Raise UsageError if an option is given that --panel does not use."""
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in PANEL_PARAMETERS and context.get_parameter_source(name) not in (default, None):
            raise click.UsageError(f"{parameter.opts[-1]} is not used with --panel, whose conditions are fixed")


def _run_panel(model: str, config: "PanelConfig", table: bool, as_json: bool) -> None:
    """Print the regrets of a model: those in the folder if only the table is wanted, else after measuring them."""
    from graphrec.benchmark import regret
    from graphrec.errors import GraphrecError
    from graphrec.graph import Graph
    from graphrec.models import model_class

    failures: Mapping[str, str] = {}
    if table:
        model_class(model)
        found = regret.load_regrets(config.output, model, config.datasets)
        if unfinished := [each.data for each in found if not each.is_complete]:
            _terminal.note(f"not in the table, as their measurement is not finished: {', '.join(unfinished)}")
        found = [each for each in found if each.is_complete]
    else:
        with _terminal.progress_bar() as progress:
            measured = Graph.benchmark_panel(model, config, progress)
        found, failures = list(measured.regrets), measured.failures
        if measured.missing:
            _terminal.note(f"not in the folder of GRAPHREC_DATA: {', '.join(measured.missing)}")
    if as_json:
        regrets = regret.summarise(found)
        _terminal.print_json([{**asdict(each), "regret": own} for each, own in zip(found, regrets, strict=True)])
    elif found:
        _terminal.say(regret.regret_table(found), end="")
    for name, reason in failures.items():
        _terminal.note(f"{name}: {reason}")
    if failures:
        number = len(found) + len(failures)
        raise GraphrecError(
            f"{len(failures)} of {number} data sets failed, with the errors above: {', '.join(failures)}; then the "
            "same command measures what is missing"
        )
    if not found:
        raise GraphrecError(
            "no data set is measured; set GRAPHREC_DATA to the folder of the data sets, or run without --table"
        )


def _measure(models: Sequence[str], config: "BenchmarkConfig", threads: int | None) -> list[dict[str, Any]]:
    """The results of all models; each of several is measured in its own process, so that its peak memory is known."""
    if len(models) == 1:
        from graphrec.graph import Graph

        with _terminal.progress_bar() as progress:
            return [asdict(Graph.benchmark(models[0], config, progress))]
    import json

    from graphrec.errors import GraphrecError
    from graphrec.models import model_class

    for model in models:
        model_class(model)
    results, failed = [], []
    for model in models:
        arguments = ["--model", model, "--json", *_make_arguments(config, threads)]
        process = subprocess.run(
            [sys.executable, "-m", "graphrec", "benchmark", *arguments], stdout=subprocess.PIPE, check=False, text=True
        )
        if process.returncode:
            failed.append(model)
        else:
            results += json.loads(process.stdout)
    if failed:
        kept = f"; the others are kept in {config.output}" if config.output is not None and results else ""
        raise GraphrecError(
            f"{len(failed)} of {len(models)} models failed, with the errors above: {', '.join(failed)}{kept}"
        )
    return results


def _make_arguments(config: "BenchmarkConfig", threads: int | None) -> list[str]:
    """The arguments of this command that a config corresponds to, without the model."""
    arguments = [str(path) for path in (config.dataset, config.train, config.test) if path]
    arguments += ["--defaults"] if config.settings is not None else []
    single = {"social": config.social, "trials": config.num_trials, "label": config.label or None, "threads": threads}
    single |= {"drawn": None if config.dataset else config.drawn}
    single |= {"device": config.device, "seed": config.seed, "output": config.output}
    for name, value in {**single, "memory": str(config.memory_budget)}.items():
        arguments += [] if value is None else [f"--{name}", str(value)]
    settings = [f"{name}={value}" for name, value in (config.settings or {}).items()]
    groups = [",".join(group) for group in config.ablate]
    for name, values in (("only", config.only), ("without", config.without), ("ablate", groups), ("set", settings)):
        arguments += [part for value in values for part in (f"--{name}", value)]
    return arguments


def _set_threads(threads: int | None) -> None:
    """Set the number of threads of the numerical libraries, which read it when they are imported."""
    if threads is not None:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
        import torch

        torch.set_num_threads(threads)


def _show_result(result: dict[str, Any]) -> None:
    rows: list[list[object]] = [[name, f"{value:.4f}"] for name, value in result["metrics"].items()]
    rows += [[f"seconds to {name}", f"{value:,.2f}"] for name, value in result["seconds"].items()]
    rows += [["settings tried", f"{result['trials']:,}"]]
    rows += [["peak memory, MiB", f"{max(result['peak_mib'].values()):,}"]]
    rows += [[name.replace("_", " "), f"{value:,}"] for name, value in result["counts"].items()]
    rows += [[f"{name} edges removed, which reveal test pairs", f"{value:,}"] for name, value in result["cut"].items()]
    _terminal.print_table(f"{result['label']} on {result['data']}", ["", ""], rows)
    _terminal.print_table("", ["setting", ""], result["config"].items())
    for ablation in result["ablations"]:
        _terminal.print_table(
            f"effect of {', '.join(ablation['without'])}",
            ["metric", "users", "with", "without", "difference", "95 % interval"],
            [
                [entry["difference"]["metric"], f"{entry['users']} ({entry['num_users']:,})",
                 f"{entry['with_it']:.4f}", f"{entry['without_it']:.4f}",
                 f"{entry['difference']['estimate']['value']:+.4f}",
                 f"{entry['difference']['estimate']['low']:+.4f} to {entry['difference']['estimate']['high']:+.4f}"]
                for entry in ablation["effects"]
            ],
        )  # fmt: skip


def _show_results(output: Path, table: bool, plot: Path | None) -> None:
    if not (table or plot):
        return
    from graphrec.benchmark import results

    found = results.load_all(output)
    if table:
        _terminal.say(results.markdown(found), end="")
    if plot:
        from graphrec.benchmark.plot import plot as draw

        for path in draw(found, plot):
            _terminal.note(f"wrote {path}")
