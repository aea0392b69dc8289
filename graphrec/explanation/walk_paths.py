"""Attribution of a score to walks through the graph, exact because the score is a sum over them."""

import numpy as np
import numpy.typing as npt

from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Attribution, Node, Path, Remainder, RemainderKind, Step
from graphrec.explanation.reasons import collect_reasons
from graphrec.explanation.walk_selection import SelectedWalks, select_walks
from graphrec.models.attribution import HISTORY, USERS, Walks


def attribute_to_walks(labels: Labels, walks: Walks, score: float, top: int) -> Attribution:
    """The Attribution of a score to its walks: the `top` strongest as paths, and all reasons."""
    selected = select_walks(walks, top, _find_named(walks, labels))
    places = zip(selected.start.tolist(), selected.item.tolist(), selected.end.tolist(), strict=True)
    paths = tuple(
        _build_path(labels, walks, place, amount)
        for place, amount in zip(places, selected.amount.tolist(), strict=True)
    )
    return Attribution(paths, _remainders(walks, selected, score), collect_reasons(labels, walks))


def _remainders(walks: Walks, selected: SelectedWalks, score: float) -> tuple[Remainder, ...]:
    """The walks that are not selected, including the rounding error of float32; and the longer walks."""
    away = (walks.items != walks.item_index).astype(np.float64)
    longer = float((walks.starts.carried @ (walks.longer * away)).sum())
    weaker = score - longer - float(selected.amount.sum())
    return (
        Remainder(RemainderKind.UNLISTED, weaker, selected.num_others),
        Remainder(RemainderKind.LONGER, longer),
    )


def _find_named(walks: Walks, labels: Labels) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether the run kept the names of each start and of each end."""
    starts = {name: name == HISTORY or labels.has_names(labels.kind(name), name) for name in set(walks.starts.relation)}
    ends = {
        name: name == USERS or labels.has_names("item_attributes", name) or labels.has_names("item_items", name)
        for name in set(walks.ends.via)
    }
    return (
        np.array([starts[name] for name in walks.starts.relation], dtype=bool),
        np.array([ends[name] for name in walks.ends.via], dtype=bool),
    )


def _build_path(labels: Labels, walks: Walks, place: tuple[int, int, int], amount: float) -> Path:
    """The path of a walk, given by the places of its start, item and end; item -1 is the direct walk."""
    start, item, end = place
    person = int(walks.starts.person[start])
    nodes, steps = _build_first_steps(labels, walks, start)
    target = labels.item(walks.item_index)
    if item < 0:
        return Path((*nodes, target), (*steps, labels.behaviour_step(person, walks.item_index, True)), amount)
    via, value, between = walks.ends.via[end], int(walks.ends.value[end]), int(walks.items[item])
    nodes, steps = [*nodes, labels.item(between)], [*steps, labels.behaviour_step(person, between, True)]
    if via == USERS:
        nodes.append(labels.user(value))
        steps += [
            labels.behaviour_step(value, between, False),
            labels.behaviour_step(value, walks.item_index, True),
        ]
    elif value < 0:
        steps.append(labels.relation_step("item_items", via))
    else:
        nodes.append(labels.value("item_attributes", via, value))
        steps += [labels.relation_step("item_attributes", via)] * 2
    return Path((*nodes, target), tuple(steps), amount)


def _build_first_steps(labels: Labels, walks: Walks, start: int) -> tuple[list[Node], list[Step]]:
    """The nodes of a walk up to the user whose behaviour it follows, and the steps between them."""
    user, relation = labels.user(walks.user_index), walks.starts.relation[start]
    if relation == HISTORY:
        return [user], []
    kind, node = labels.kind(relation), int(walks.starts.node[start])
    step, person = labels.relation_step(kind, relation), labels.user(int(walks.starts.person[start]))
    if kind == "social":
        return [user, person], [step]
    return [user, labels.value(kind, relation, node), person], [step] * 2
