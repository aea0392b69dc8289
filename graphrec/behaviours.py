"""Behaviour types: what users do with items, each described once.

A new type is one entry of `BEHAVIOUR_TYPES`. Types that are not listed are behaviour too: they rank last, get the
default weight properties, and sentences use the name of the relationship type.
"""

import math
from dataclasses import dataclass

#: Edge properties that measure the strength of an interaction; the first that the edges have is their weight.
WEIGHT_PROPERTIES = ("rating", "count", "hours", "value")

#: Seconds for which an item that a user has hidden is not recommended to them: 30 days.
HIDDEN_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class BehaviourType:
    """A relationship type from users to items.

    relation: name of the relationship type, UPPER_SNAKE.
    strength: how strong a sign of a preference it is, 100 the strongest; the strongest type of a graph is the default
        target of training. None: it ranks after all types that have one.
    verb: past tense in front of an item's title (`bought`); "": the relation in lower case.
    weight_properties: edge properties that may be its weight, the preferred one first.
    stems: beginnings of words in file names, column names and event columns that mean this type.
    is_negative: whether it withdraws or rejects an item instead of choosing it.
    excludes_for: seconds from its time on for which the item is not recommended to the user; infinity: for ever; None:
        it excludes no item.
    """

    relation: str
    strength: int | None = None
    verb: str = ""
    weight_properties: tuple[str, ...] = WEIGHT_PROPERTIES
    stems: tuple[str, ...] = ()
    is_negative: bool = False
    excludes_for: float | None = None


#: All known types. Words are compared with the stems in this order; a stem that contains another must come first.
BEHAVIOUR_TYPES: tuple[BehaviourType, ...] = (
    BehaviourType("REMOVED", stems=("remove",), is_negative=True),
    BehaviourType("DISLIKED", stems=("unlike", "dislike"), is_negative=True),
    BehaviourType("UNFOLLOWED", stems=("unfollow",), is_negative=True),
    BehaviourType("WISHLISTED", stems=("wish",)),
    BehaviourType("SHOWN", stems=("impression", "shown", "exposure")),
    BehaviourType("RETURNED", stems=("refund", "return"), is_negative=True),
    BehaviourType("REVIEWED", strength=85, stems=("review",)),
    BehaviourType("RATED", strength=90, stems=("bewertung", "rating", "rate", "vote", "score", "avaliac", "calificac")),
    BehaviourType("CARTED", strength=40, verb="put into the cart", stems=("addtocart", "cart", "basket", "warenkorb")),
    BehaviourType(
        "PURCHASED",
        strength=100,
        verb="bought",
        stems=(
            *("purchas", "order", "transaction", "invoice", "receipt", "buy", "bought", "sale", "sold", "retail"),
            *("grocer", "checkout", "bestell", "kauf", "rechnung", "commande", "pedido", "venta", "vente", "venda"),
            *("compra", "achat", "acquist", "zakup", "umsatz", "faktura", "payment", "billing"),
        ),
    ),
    BehaviourType("CLICKED", strength=30, verb="clicked on", stems=("click",)),
    BehaviourType("LISTENED", strength=80, verb="listened to", stems=("listen", "scrobbl", "playlist", "stream")),
    BehaviourType("PLAYED", strength=75, stems=("play",)),
    BehaviourType("TAGGED", strength=10, stems=("tag",)),
    BehaviourType("VIEWED", strength=20, stems=("pageview", "pv", "view", "detail")),
    BehaviourType("VISITED", stems=("besuch", "visit", "checkin", "check_in")),
    BehaviourType("WATCHED", stems=("watch",)),
    BehaviourType("LIKED", stems=("like", "fav", "love")),
    BehaviourType("BOOKMARKED", stems=("bookmark", "save")),
    BehaviourType("SHELVED", strength=50, stems=("shelv", "shelf")),
    BehaviourType("TIPPED", strength=45, verb="wrote about", stems=("tip",)),
    BehaviourType("BORROWED", stems=("borrow", "loan", "ausleih", "emprunt", "prestamo")),
    BehaviourType("RENTED", stems=("rental", "rent")),
    BehaviourType("DOWNLOADED", stems=("download",)),
    BehaviourType("INSTALLED", stems=("install",)),
    BehaviourType("BOOKED", stems=("booking", "reservation")),
    BehaviourType("ENROLLED", stems=("enrol",)),
    BehaviourType("APPLIED", stems=("application", "apply")),
    BehaviourType("SHARED", stems=("share",)),
    BehaviourType("SUBSCRIBED", stems=("subscri",)),
    BehaviourType("DONATED", stems=("donat",)),
    BehaviourType("INTERACTED", strength=60, verb="interacted with", stems=("interact",)),
    BehaviourType("FOLLOWED", stems=("follow",)),
    BehaviourType("STARRED", stems=("star",)),
    BehaviourType("COMMENTED", stems=("comment",)),
    BehaviourType("POSTED", stems=("post",)),
    BehaviourType("ANSWERED", stems=("answer",)),
    BehaviourType("ATTEMPTED", stems=("attempt",)),
    BehaviourType("READ", stems=("read",)),
    BehaviourType("COMPLETED", stems=("complet", "finish")),
    BehaviourType("SKIPPED", stems=("skip",), is_negative=True),
    BehaviourType("DISMISSED", stems=("dismiss",), is_negative=True, excludes_for=math.inf),
    BehaviourType("NOT_INTERESTED", stems=("not_interested", "notinterested"), is_negative=True, excludes_for=math.inf),
    BehaviourType("HIDDEN", is_negative=True, excludes_for=HIDDEN_SECONDS),
    BehaviourType("SEARCHED", stems=("search",)),
    BehaviourType("ATTENDED", stems=("attend",)),
)

_BY_RELATION = {each.relation: each for each in BEHAVIOUR_TYPES}

#: The types that have a strength, the strongest first.
BEHAVIOURS = tuple(
    each.relation
    for each in sorted(
        (each for each in BEHAVIOUR_TYPES if each.strength is not None), key=lambda each: -(each.strength or 0)
    )
)

#: The types by which users reject an item or withdraw a choice.
NEGATIVE_BEHAVIOURS = frozenset(each.relation for each in BEHAVIOUR_TYPES if each.is_negative)

#: The types by which users exclude an item from their recommendations, with the seconds for which they do. Models that
#: add behaviours up as signs of a preference do not read them.
EXCLUDING_BEHAVIOURS = {each.relation: each.excludes_for for each in BEHAVIOUR_TYPES if each.excludes_for is not None}


def behaviour_type(relation: str) -> BehaviourType:
    """The description of a relationship type from users to items; the defaults for an unlisted type."""
    return _BY_RELATION.get(relation) or BehaviourType(relation)
