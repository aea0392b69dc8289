"""How a model is trained, tuned and published: the options of `Graph.train`, `tune` and `publish`. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from graphrec.ranking.memory import MEMORY_BUDGET

if TYPE_CHECKING:
    from graphrec.benchmark.datasets import SplitKind
    from graphrec.evaluation.preparation import Aliases
    from graphrec.reranking import RerankingRules


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    settings: settings of the model, used as they are; those not named have the values of the model's config class. {}:
        the model's default for the graph, which may be another; None: they are chosen on validation.
    split: how interactions are split for tuning and for metrics, such as `time(test=0.2)`; None: `default_split`.
    measured: whether a fit without the test part gives metrics and a verdict.
    num_trials: settings tried beyond the model's own candidates; None: eight for each setting, at most 40, and at most
        10 for more than 500,000 interactions.
    device: where models are fitted: `cpu`, `cuda`, `cuda:1`.
    checkpoint: a file with the state of a training by epochs, from which it continues after an interruption.
    study: a study of `tune`, whose best settings are used; `settings` override them.
    aliases: a number for each node by label, equal for nodes of the same user or item, so that the audit finds copies
        of test interactions; None: those of the graph, or no copies if no store is given.
    """

    settings: Mapping[str, object] | None = None
    split: str | None = None
    measured: bool = True
    num_trials: int | None = None
    device: str = "cpu"
    checkpoint: Path | None = None
    study: Path | None = None
    aliases: "Aliases | None" = None


@dataclass(frozen=True)
class TuneConfig:
    """How the settings of a model are searched.

    split: how interactions are split, such as `time(test=0.2)`; None: `default_split`. The test part is not used.
    seed: seed of the split and of the search.
    num_trials: settings tried beyond the model's own candidates; None: eight for each setting, at most 40, at most
        10 for more than 500,000 interactions, and 20 for models that are slow to fit.
    workers: number of processes that try settings at the same time.
    device: where models are fitted: `cpu`, `cuda`, `cuda:1`.
    study: the file that keeps every trial; None: one for this model, data and split in the home folder.
    """

    split: str | None = None
    seed: int = 0
    num_trials: int | None = None
    workers: int = 1
    device: str = "cpu"
    study: Path | None = None


@dataclass(frozen=True)
class PublishConfig:
    """How a run is published.

    rules: re-ranking rules, or the path of their TOML file; None: the order of the model.
    force: whether a run is published without a good verdict.
    keep: number of earlier runs that `rollback` can return to.
    similar: number of similar items published for each item; 0: none are written, and earlier ones stay.
    embeddings: whether the model's vectors are written on users and items.
    reasons: whether each edge names the node that contributes most to its score.
    memory_budget: cap on the bytes of scores in memory at one time.
    """

    rules: "RerankingRules | Path | str | None" = None
    force: bool = False
    keep: int = 1
    similar: int = 0
    embeddings: bool = False
    reasons: bool = False
    memory_budget: int = MEMORY_BUDGET


@dataclass(frozen=True)
class EmbedConfig:
    """How texts are embedded.

    encoder: `tfidf`, fitted to the texts once and kept; `wordllama` (extra `text`); `sentence-transformers:NAME`, also
        a folder (extra `sentences`); or `endpoint`.
    url, model: an OpenAI-compatible endpoint and the model it is asked for; its key is in GRAPHREC_LLM_KEY.
    similar: number of SIMILAR_TEXT edges of each node; None: edges are left as they are; 0: they are deleted.
    dimensions: dimensions of tfidf.
    refit: whether tfidf is fitted again, and all texts are embedded again.
    """

    encoder: str = "tfidf"
    url: str = ""
    model: str = ""
    similar: int | None = None
    dimensions: int = 256
    refit: bool = False


@dataclass(frozen=True)
class LlmConfig:
    """A language model behind an OpenAI-compatible endpoint, and what it may cost. Its key is in GRAPHREC_LLM_KEY.

    url: the address up to the version, such as `http://localhost:8000/v1`.
    model: the name of the model.
    timeout: seconds for one attempt.
    retries: repetitions of a failed attempt.
    max_tokens: budget of tokens, sent and received, of one call of a method; 0 for none.
    max_requests: budget of requests; 0 for none.
    parallel: number of requests at a time.
    allow_personal: whether personal properties are sent: those of users, and names such as `email` of other labels.
    """

    url: str = ""
    model: str = ""
    timeout: float = 60.0
    retries: int = 2
    max_tokens: int = 0
    max_requests: int = 0
    parallel: int = 4
    allow_personal: bool = False


@dataclass(frozen=True)
class EnrichConfig:
    """How attributes are drawn from texts.

    attributes: `genre`, `mood`, `audience` or `brand`.
    values: by attribute, the only values that are allowed; without them those that other sources gave the graph, else
        a built-in list, and for brands the words of the text.
    min_confidence: values of which the model is less certain are left out.
    source: the name of the source; "": `llm-` and the model.
    dry_run: estimate the cost, send nothing and write nothing.
    """

    attributes: tuple[str, ...] = ("genre",)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    min_confidence: float = 0.5
    source: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class JudgeConfig:
    """How proposed links are judged.

    properties: those that the model compares; (): those of the rules by title or by several fields.
    apply: whether a yes makes the proposed link; else verdicts are only kept.
    min_confidence: links that fusion proposes with less confidence are not made by a yes.
    source: the name of the source that has the verdicts; "": `judge-` and the model.
    dry_run: estimate the cost, send nothing and write nothing.
    """

    properties: tuple[str, ...] = ()
    apply: bool = False
    min_confidence: float = 0.8
    source: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class BenchmarkConfig:
    """The data and the options of a benchmark.

    train, test: files with a line `user item item …` for each user; social: a file of who follows whom, in this form.
    dataset: the name of a split in the folder of GRAPHREC_DATA, instead of files.
    only, without: relations kept besides the target behaviour (none: all), and relations left out.
    ablate: groups of relations; the model is measured again without each group (`all`: once for every relation).
    settings: as in `TrainConfig`.
    num_trials: settings tried beyond the model's own candidates; None: the default of the search.
    seed: seed of the validation set, the search and the fits.
    device: where models are fitted: `cpu`, `cuda`, `cuda:1`.
    memory_budget: cap on the bytes of scores in memory at one time.
    label: the name of the result in tables; "": the name of the model.
    output: a folder in which the result is kept as a file.
    drawn: how the test part of two files was drawn: `random`, `time`, `last` (one interaction of each user), `next`
        (the one that comes after all of train) or `unknown`. With `time` and `next`, held-out parts are drawn by time
        too, and the items of each user must be in the order of time; the others are treated alike, as such files have
        no times. A split with a name states its own.
    """

    dataset: str = ""
    train: Path | None = None
    test: Path | None = None
    social: Path | None = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    ablate: tuple[tuple[str, ...], ...] = ()
    settings: Mapping[str, str] | None = None
    num_trials: int | None = None
    seed: int = 0
    device: str = "cpu"
    memory_budget: int = MEMORY_BUDGET
    label: str = ""
    output: Path | None = None
    drawn: "SplitKind" = "unknown"


@dataclass(frozen=True)
class PanelConfig:
    """The data sets and the options of `Graph.benchmark_panel`.

    output: the folder in which every trial and every measurement is kept; an interrupted panel continues from it.
    datasets: names of data sets in the folder of GRAPHREC_DATA; none: all of the panel that are there.
    num_trials: settings tried beyond the model's own candidates; None: the default of the search.
    seed: seed of the held-out parts, the search and the fits.
    device: where models are fitted: `cpu`, `cuda`, `cuda:1`.
    memory_budget: cap on the bytes of scores in memory at one time.
    """

    output: Path
    datasets: tuple[str, ...] = ()
    num_trials: int | None = None
    seed: int = 0
    device: str = "cpu"
    memory_budget: int = MEMORY_BUDGET
