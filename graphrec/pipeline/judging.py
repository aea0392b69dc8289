"""Judge proposed links by a language model, keep the verdicts, and make the links that they confirm."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from graphrec.config import Settings
from graphrec.errors import DataError, UnknownNameError, first_few
from graphrec.fusion.fuse import relink
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import KEY, list_properties, restore_records
from graphrec.fusion.resolve import collect_rules
from graphrec.fusion.verdicts import Verdict, VerdictKind
from graphrec.ingest import writing
from graphrec.ingest.enrich import require_source_of
from graphrec.ingest.verdicts import write_verdicts
from graphrec.llm.judging import Judgement, RecordPair, estimate, judge
from graphrec.pipeline.config import JudgeConfig, LlmConfig
from graphrec.pipeline.language_model import name_source, open_worker, require_not_personal, require_share
from graphrec.progress import StageProgress, silent
from graphrec.schema import NodeType
from graphrec.store import Store
from graphrec.store.nodes import WriteCounts
from graphrec.store.sources import read_graph_state, read_sources
from graphrec.tables import JUDGED_URL, Source


@dataclass(frozen=True)
class JudgedLink:
    """A proposed link with its verdict: the two keys, what fusion says of it, and what a model does."""

    left_key: str
    right_key: str
    rule: str
    confidence: float
    evidence: str
    verdict: VerdictKind | None = None
    reason: str = ""
    model: str = ""
    confirmed: bool = False


@dataclass(frozen=True)
class Judged:
    """What `judge_links` did, or with `dry_run` would do.

    Attributes:
        source, label, model: the source that has the verdicts, the label of the records, and the model.
        links: the proposed links with their verdicts.
        controlled: pairs whose yes was taken back by a control question.
        unanswered: pairs without an answer; they keep an earlier verdict.
        cached, requests, retries, failures, tokens: as in `Enriched`; of a dry run the most that is needed.
        problem: why the first pair has no answer; "" if all have one.
        written: numbers of nodes that were created, changed and deleted.
    """

    source: str
    label: str
    model: str
    links: list[JudgedLink] = field(default_factory=list)
    controlled: int = 0
    unanswered: int = 0
    cached: int = 0
    requests: int = 0
    retries: int = 0
    failures: int = 0
    tokens: int = 0
    problem: str = ""
    written: list[WriteCounts] = field(default_factory=list)
    dry_run: bool = False

    def count(self, verdict: VerdictKind) -> int:
        """The number of links with a verdict."""
        return sum(each.verdict == verdict for each in self.links)


def judge_links(
    store: Store,
    settings: Settings,
    label: str,
    llm: LlmConfig,
    config: JudgeConfig,
    progress: StageProgress = silent,
) -> Judged:
    """Ask a language model about each proposed link of a label, and keep its verdicts as a source.

    A verdict changes no link unless `config.apply` is set. Then a yes makes a link that fusion itself proposes with
    `config.min_confidence` or more; it cannot make another, nor one that identifiers or a one-to-one rule contradict.

    Raises:
        UnknownNameError: no source has the label, or the label has no such property.
        RefusedError: a property is personal.
        DataError: an option is invalid, or another source has the name.
        GraphrecError: the endpoint is invalid.
    """
    require_share(config.min_confidence, "min_confidence")
    worker = open_worker(settings, llm)
    name = name_source(config.source, "judge", llm.model)
    earlier = require_source_of(store, name, JUDGED_URL)
    sources = [each for each in read_sources(store) if each.source.name != name]
    labels = {kind.label for each in sources for kind in each.nodes}
    if label not in labels:
        raise UnknownNameError("label of a source", label, labels)
    manifest = SourceManifest(Source(name, llm.model, JUDGED_URL), (NodeType(label),))
    properties = _choose_properties(label, sources, config.properties)
    require_not_personal(label, properties, llm)
    links, records = _find_proposed(store, manifest, earlier)
    pairs = [_build_pair(each, records, properties) for each in links]
    if config.dry_run:
        cost = estimate(worker, pairs)
        counts = (cost.num_cached, cost.num_requests, 0, 0, cost.num_tokens)
        return Judged(name, label, llm.model, links, 0, 0, *counts, dry_run=True)
    found = judge(worker, pairs, progress)
    before = {(each.left_key, each.right_key): each for each in _list_verdicts(earlier) if each.label == label}
    judged = [
        _apply(replace(link, model=llm.model), result, before.get((link.left_key, link.right_key)), config)
        for link, result in zip(links, found.results, strict=True)
    ]
    verdicts = [
        Verdict(label, each.left_key, each.right_key, each.verdict, each.reason, each.model, each.confirmed)
        for each in judged
        if each.verdict is not None
    ]
    others = [each for each in _list_verdicts(earlier) if each.label != label]
    kinds = dict.fromkeys([label, *(each.label for each in others)])
    manifest = replace(manifest, nodes=tuple(map(NodeType, kinds)), verdicts=(*others, *verdicts))
    written: list[WriteCounts] = []
    if manifest.verdicts != _list_verdicts(earlier):
        with writing(store, settings.home, f"judging of {label}", progress=progress) as locked:
            written = write_verdicts(locked, manifest, progress)
    usage = worker.endpoint.usage
    return Judged(
        name,
        label,
        llm.model,
        judged,
        found.num_controlled,
        sum(result is None for result in found.results),
        found.num_cached,
        usage.calls,
        usage.retries,
        usage.failures,
        usage.tokens,
        found.problem,
        written,
    )


def _list_verdicts(manifest: SourceManifest | None) -> tuple[Verdict, ...]:
    return manifest.verdicts if manifest else ()


def _apply(link: JudgedLink, result: Judgement | None, earlier: Verdict | None, config: JudgeConfig) -> JudgedLink:
    """The link with its verdict; without an answer it keeps the earlier one, and what was confirmed stays so."""
    if result is None:
        if earlier is None:
            return replace(link, model="")
        kept = {name: getattr(earlier, name) for name in ("verdict", "reason", "model", "confirmed")}
        return replace(link, **kept)
    may_confirm = config.apply or (earlier is not None and earlier.confirmed)
    confirmed = result.verdict == "yes" and may_confirm and link.confidence >= config.min_confidence
    return replace(link, verdict=result.verdict, reason=result.reason, confirmed=confirmed)


def _choose_properties(label: str, sources: Sequence[SourceManifest], given: Sequence[str]) -> tuple[str, ...]:
    """The properties that the model compares: the given ones, else those of rules by title and by several fields.

    Raises UnknownNameError if no source has a given property, DataError if there is no property to compare.
    """
    known = list_properties(label, sources)
    for name in given:
        if name not in known:
            raise UnknownNameError("property", name, known, owner=label)
    rules = [rule for rule in collect_rules(label, sources) if rule.by in ("title", "fields")]
    chosen = tuple(given) or tuple(dict.fromkeys(name for rule in rules for name in rule.on if name in known))
    if not chosen:
        raise DataError(
            f"no rule of {label} compares titles or several fields; name the properties to compare, with --properties "
            f"(it has {first_few(known)})"
        )
    return chosen


def _find_proposed(
    store: Store, manifest: SourceManifest, earlier: SourceManifest | None
) -> tuple[list[JudgedLink], pd.DataFrame]:
    """The links that fusion proposes without the verdicts of this source, and the records of the label by key.

    Links between records of one node, which other links joined, are left out, but for those that this source confirmed.
    """
    (kind,) = manifest.nodes
    known = read_graph_state(store, manifest)
    found = relink(known, manifest).links
    columns = ["left_key", "right_key", "rule", "confidence", "evidence"]
    rows = found.loc[found["decision"] == "proposed", columns].itertuples(index=False, name=None)
    records = restore_records(kind.label, known.nodes[kind.label], known.sources).set_index(KEY, drop=False)
    node = {key: at for at, keys in enumerate(known.nodes[kind.label]["keys"]) for key in keys or ()}
    own = [each for each in _list_verdicts(earlier) if each.label == kind.label]
    confirmed = {(each.left_key, each.right_key) for each in own if each.confirmed}
    links = [JudgedLink(str(a), str(b), str(rule), float(value), str(text)) for a, b, rule, value, text in rows]
    keys = [(link, (link.left_key, link.right_key)) for link in links]
    return [link for link, pair in keys if pair in confirmed or node.get(pair[0]) != node.get(pair[1])], records


def _build_pair(link: JudgedLink, records: pd.DataFrame, properties: Sequence[str]) -> RecordPair:
    sides: list[dict[str, Any]] = []  # Any: values of properties
    for key in (link.left_key, link.right_key):
        row = records.loc[key]
        sides.append({name: _to_json(row[name]) for name in properties if _has_value(row[name])})
    return RecordPair(link.left_key, link.right_key, *sides)


def _has_value(value: object) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and np.isnan(value))


def _to_json(value: Any) -> Any:  # Any: a value of a property
    """A number as it is, a whole one without a fraction; anything else as text."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.number):
        return int(value) if float(value).is_integer() else float(value)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
