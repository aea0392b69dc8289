"""A made-up bookshop whose readers, books and authors have names: for tests in a browser and the picture of the README.

Run as a script, it builds the shop in GRAPHREC_HOME: `python -m tests.api.bookshop`, then `graphrec serve --open`.
"""

from itertools import product

import numpy as np

from graphrec import TrainConfig, publishing, runs
from graphrec.config import Settings
from graphrec.pipeline import training
from graphrec.pipeline.reading import read_graph
from graphrec.progress import silent
from graphrec.ranking.topk import recommend
from graphrec.runs import TrainedRun
from graphrec.store import Store, connect

#: Genre: books; every other book is by the first author of the genre.
BOOKS = {
    "Mystery": "The Lantern on Pier Nine, A Quiet Forgery, Eleven Keys, The Cartographer's Alibi, Ash Wednesday Club, "
    "The Glass Witness, Murder at Low Tide, The Ninth Chair",
    "Science fiction": "Slow Light, The Orbit of Small Things, Terraform, Half a Moon Away, The Last Firmware, "
    "Salt on Titan, Children of the Relay, A Machine Called Spring",
    "Gardening": "The Patient Gardener, Moss, Twelve Months of Beans, A Hedge of One's Own, Soil and Silence, "
    "The Greenhouse Year, Roots and Rain, Wild Borders",
    "Travel": "Night Trains of Europe, The Salt Road, Walking to Lisbon, A Map Without Borders, Islands in Winter, "
    "Two Wheels South, The Ferry Timetable, Desert Post",
    "Cooking": "Bread for Beginners, The Copper Pot, Lemons, Soup Weather, A Table for Eleven, Smoke and Honey, "
    "The Long Simmer, Breakfast at Any Hour",
}
AUTHORS = {
    "Mystery": ("Ines Calder", "Tobias Wren"),
    "Science fiction": ("Ada Okafor", "Lev Sorin"),
    "Gardening": ("Maud Ferrier", "Piet Haas"),
    "Travel": ("Rosa Lind", "Yusuf Demir"),
    "Cooking": ("Nell Abara", "Gus Moreau"),
}
FIRST = ["Anna", "Bela", "Carl", "Dora", "Emil", "Fay", "Gil", "Hana", "Ivo", "Jana", "Kai", "Lena"]
LAST = ["Berg", "Costa", "Dunn", "Ebner", "Fox"]
DAY = 86_400
NOW = 1_795_000_000

_SHOP = """
UNWIND $books AS book
MERGE (item:Item {id: book.id}) SET item.title = book.title, item.year = book.year
MERGE (genre:Genre {id: book.genre}) MERGE (item)-[:IN_GENRE]->(genre)
MERGE (author:Author {id: book.author}) MERGE (item)-[:WRITTEN_BY]->(author)
"""
_READERS = "UNWIND $readers AS reader CREATE (:User {id: reader.id, name: reader.name, city: reader.city})"
_EVENTS = """
UNWIND $events AS event
MATCH (user:User {id: event.user}), (item:Item {id: event.item})
CREATE (user)-[:PURCHASED {timestamp: event.timestamp}]->(item)
"""
_FRIENDS = """
UNWIND $pairs AS pair
MATCH (a:User {id: pair[0]}), (b:User {id: pair[1]}) CREATE (a)-[:FRIEND]->(b)
"""
_SHOWN = """
UNWIND $events AS event
MATCH (user:User {id: event.user}), (item:Item {id: event.item})
CREATE (user)-[:SHOWN {timestamp: event.timestamp - 60, run: $run, rank: event.rank}]->(item)
"""


def build(store: Store) -> list[dict[str, object]]:
    """Write the shop into an empty store, and return its purchases: readers buy from two genres, and a little else."""
    rng = np.random.default_rng(8)
    books: list[dict[str, object]] = []
    genres = list(BOOKS)
    for genre, titles in BOOKS.items():
        for place, title in enumerate(titles.split(", ")):
            number = len(books) + 1
            author = AUTHORS[genre][place % 2]
            year = 2000 + int(rng.integers(0, 26))
            books.append({"id": f"b{number:02}", "title": title, "genre": genre, "author": author, "year": year})
    readers, events = [], []
    cities = ("Lisbon", "Bergen", "Graz")
    for number, (last, first) in enumerate(product(LAST, FIRST)):
        reader = f"r{number + 1:02}"
        readers.append({"id": reader, "name": f"{first} {last}", "city": cities[number % 3]})
        liked = {genres[number % 5], genres[(number + 1 + number // 12 % 2) % 5]}
        chance = np.array([0.62 if book["genre"] in liked else 0.06 for book in books])
        for place in rng.permutation(np.flatnonzero(rng.random(len(books)) < chance)):
            when = NOW - int(rng.integers(0, 400)) * DAY
            events.append({"user": reader, "item": books[place]["id"], "timestamp": when})
    pairs = [(f"r{n:02}", f"r{n + 5:02}") for n in range(1, 56)]
    store.write(_SHOP, {"books": books})
    store.write(_READERS, {"readers": readers})
    store.write(_EVENTS, {"events": events})
    store.write(_FRIENDS, {"pairs": pairs})
    return events


def publish(store: Store, settings: Settings) -> TrainedRun:
    """Train and publish two runs; the second, which is active, has impressions."""
    graph = read_graph(store, None, silent)
    for model in ("item_knn", "graph_filter"):
        trained = training.train(graph, model, np.random.default_rng(0), TrainConfig(measured=False))
        runs.save(settings.runs, trained)
        lists = recommend(trained, k=10)
        publishing.publish(store, publishing.Publication(trained.run, lists, trained.users, trained.items))
    return trained


def log_impressions(store: Store, run: str, events: list[dict[str, object]]) -> None:
    """Write impressions: every third purchase followed one of the run's items, and as many led to none."""
    clicked = [event | {"rank": 1 + n % 10} for n, event in enumerate(events[::3])]
    passed = [event | {"rank": 1 + n % 10, "timestamp": NOW + n} for n, event in enumerate(events[1::2])]
    store.write(_SHOWN, {"events": clicked + passed, "run": run})


if __name__ == "__main__":
    chosen = Settings()
    with connect(chosen.embedded.start()) as shop:
        purchases = build(shop)
        log_impressions(shop, publish(shop, chosen).run.id, purchases)
