"""The latest held-out cases: sniff was run on them once before its rules were changed."""

from . import Case

CASES = [
    Case(
        "subscriptions with an end date",
        {
            "subs.csv": "subscriber_id;channel_id;subscribed_at;ended_at\n1;c9;2023-01-02 08:00;2023-05-01 00:00\n2;c9;2023-01-03 09:10;\n1;c7;2023-02-02 18:30;\n3;c7;2023-03-04 07:45;2023-04-01 00:00\n"
        },
        """
        [edges.SUBSCRIBED]
        file = "subs.csv"
        separator = ";"
        from = "User:subscriber_id"
        to = "Item:channel_id"
        properties = ["ended_at"]
        time = { column = "subscribed_at" }
        """,
    ),
    Case(
        "wines rated out of a hundred by tasters",
        {
            "wine_ratings.csv": "taster_name,wine,points,price,country,variety\nKerin,Nicosia 2013,87,,Italy,White Blend\nRoger,Avidagos 2011,87,15.0,Portugal,Red Blend\nKerin,Avidagos 2011,90,15.0,Portugal,Red Blend\nPaul,Nicosia 2013,85,,Italy,White Blend\nRoger,Rainstorm 2013,88,14.0,US,Pinot Gris\nPaul,Rainstorm 2013,84,14.0,US,Pinot Gris\n"
        },
        """
        [nodes.Item]
        file = "wine_ratings.csv"
        id = "wine"
        properties = [{ name = "price", type = "float" }, "country", "variety"]
        [edges.RATED]
        file = "wine_ratings.csv"
        from = "User:taster_name"
        to = "Item:wine"
        properties = [{ name = "rating", column = "points", type = "float" }]
        """,
    ),
    Case(
        "plays of a museum's exhibits as a JSON array with nested visitors",
        {
            "visits.json": '[{"visitor": {"id": "v1", "age": 31}, "exhibit": {"id": "e1", "title": "Clock"}, "at": "2024-03-01T10:00:00+01:00"}, {"visitor": {"id": "v2", "age": 45}, "exhibit": {"id": "e1", "title": "Clock"}, "at": "2024-03-01T10:05:00+01:00"}, {"visitor": {"id": "v1", "age": 31}, "exhibit": {"id": "e2", "title": "Globe"}, "at": "2024-03-01T10:15:00+01:00"}, {"visitor": {"id": "v3", "age": 12}, "exhibit": {"id": "e2", "title": "Globe"}, "at": "2024-03-02T10:00:00+01:00"}]'
        },
        """
        [nodes.User]
        file = "visits.json"
        id = "/visitor/id"
        properties = [{ column = "/visitor/age", type = "int" }]
        [nodes.Item]
        file = "visits.json"
        id = "/exhibit/id"
        properties = [{ column = "/exhibit/title" }]
        [edges.VISITED]
        file = "visits.json"
        from = "User:/visitor/id"
        to = "Item:/exhibit/id"
        time = { column = "at" }
        """,
    ),
    Case(
        "downloads of packages with counts",
        {
            "downloads.tsv": "account\tpackage_name\tdownloads\tlast_seen\nann\tnumpy\t12\t2024-05-01\nbob\tnumpy\t3\t2024-05-02\nann\ttorch\t1\t2024-05-03\ncy\ttorch\t40\t2024-05-03\n"
        },
        """
        [edges.DOWNLOADED]
        file = "downloads.tsv"
        separator = "\\t"
        from = "User:account"
        to = "Item:package_name"
        weight = "downloads"
        time = { column = "last_seen" }
        """,
    ),
    Case(
        "carts and orders of a shop in one log with codes in words",
        {
            "log.csv": "ts|client_id|product_code|action|amount\n1700000000|c1|p1|add_to_cart|\n1700000010|c1|p1|order|19.9\n1700000020|c2|p2|view|\n1700000030|c2|p2|add_to_cart|\n1700000040|c3|p1|view|\n1700000050|c3|p1|order|18.9\n"
        },
        """
        [edges.VIEWED]
        file = "log.csv"
        separator = "|"
        where = { action = ["view"] }
        from = "User:client_id"
        to = "Item:product_code"
        time = { column = "ts", unit = "s" }
        [edges.CARTED]
        file = "log.csv"
        separator = "|"
        where = { action = ["add_to_cart"] }
        from = "User:client_id"
        to = "Item:product_code"
        time = { column = "ts", unit = "s" }
        [edges.PURCHASED]
        file = "log.csv"
        separator = "|"
        where = { action = ["order"] }
        from = "User:client_id"
        to = "Item:product_code"
        properties = [{ name = "amount", type = "float" }]
        time = { column = "ts", unit = "s" }
        """,
    ),
    Case(
        "orders and lines in files with numbers and dots in their names",
        {
            "2024.orders.csv": "OrderNo,CustomerNo,OrderDate\n7001,C-9,01/31/2024\n7002,C-8,02/15/2024\n7003,C-9,02/28/2024\n",
            "2024.order_details.csv": "OrderNo,ItemNo,Qty,UnitPrice\n7001,I-1,2,9.5\n7001,I-2,1,3\n7002,I-1,5,9\n7003,I-3,1,12.25\n",
        },
        """
        [edges.PURCHASED]
        sql = ""
        files = { a = "2024.orders.csv", b = "2024.order_details.csv" }
        from = "User:CustomerNo"
        to = "Item:ItemNo"
        weight = "Qty"
        properties = [{ name = "UnitPrice", type = "float" }]
        time = { column = "OrderDate", format = "%m/%d/%Y" }
        """,
    ),
    Case(
        "movies with casts and directors",
        {
            "titles.csv": 'show_id,type,title,director,cast,country,release_year,listed_in\ns1,Movie,Dick,Kirsten J,"Ann A, Bob B",US,2020,"Comedies, Dramas"\ns2,TV Show,Blood,Kirsten J,"Bob B, Cy C",ZA,2021,Dramas\ns3,Movie,Mass,Mike F,"Ann A, Dee D",US,2021,"Horror, Dramas"\ns4,Movie,Cold,Mike F,Ann A,US,2019,Comedies\n',
            "watch_history.csv": "profile_id,show_id,watched_at\np1,s1,2022-01-01\np1,s2,2022-01-02\np2,s1,2022-01-05\np3,s3,2022-01-09\n",
        },
        """
        [nodes.Item]
        file = "titles.csv"
        id = "show_id"
        properties = ["type", "title", "country", { name = "release_year", type = "int" }, "listed_in"]
        [edges.DIRECTED_BY]
        file = "titles.csv"
        from = "Item:show_id"
        to = "Director:director"
        [edges.HAS_ACTOR]
        file = "titles.csv"
        from = "Item:show_id"
        to = "Actor:cast"
        split = ", "
        [edges.WATCHED]
        file = "watch_history.csv"
        from = "User:profile_id"
        to = "Item:show_id"
        time = { column = "watched_at" }
        """,
    ),
    Case(
        "followers as pairs named source and target",
        {"follows.csv": "source,target\nann,bob\nbob,ann\ncy,ann\nbob,cy\n"},
        """
        [edges.FOLLOWS]
        file = "follows.csv"
        from = "User:source"
        to = "User:target"
        """,
    ),
    Case(
        "purchases with quoted numbers and trailing blanks of names",
        {
            "kauf.csv": '"Kunden-Nr";"Artikel-Nr";"Anzahl";"Kaufdatum"\n"100";"A1";"2";"31.12.2023"\n"101";"A1";"1";"01.01.2024"\n"100";"A2";"7";"02.01.2024"\n'
        },
        """
        [edges.PURCHASED]
        file = "kauf.csv"
        separator = ";"
        from = "User:Kunden-Nr"
        to = "Item:Artikel-Nr"
        weight = "Anzahl"
        time = { column = "Kaufdatum", format = "%d.%m.%Y" }
        """,
    ),
    Case(
        "likes of posts, given twice a header by concatenation of exports",
        {
            "likes.csv": "user_id,post_id,liked_at\n1,10,1650000000000\n2,10,1650000001000\n2,11,1650000002000\n3,11,1650000003000\n1,12,1650000004000\n"
        },
        """
        [edges.LIKED]
        file = "likes.csv"
        from = "User:user_id"
        to = "Item:post_id"
        time = { column = "liked_at", unit = "ms" }
        """,
    ),
    Case(
        "game sessions with hours and a platform",
        {
            "play_sessions.csv": "gamer_tag,game_title,hours_played,platform,session_start\nzed,Chess,1.5,PC,2023-06-01T18:00:00Z\nzed,Go,0.5,PC,2023-06-02T18:00:00Z\nkim,Chess,3.25,Mac,2023-06-02T20:00:00Z\nkim,Go,1.0,PC,2023-06-03T20:00:00Z\nlee,Chess,2.0,Mac,2023-06-05T20:00:00Z\n"
        },
        """
        [edges.PLAYED]
        file = "play_sessions.csv"
        from = "User:gamer_tag"
        to = "Item:game_title"
        weight = "hours_played"
        properties = ["platform"]
        time = { column = "session_start" }
        """,
    ),
    Case(
        "a library of papers that users bookmarked, with titles in the same file",
        {
            "citeulike_bookmarks.csv": "user_hash,paper_id,paper_title,bookmarked_on\nae1,77,Graphs,2009-11-03\nae2,77,Graphs,2009-12-13\nae1,78,Trees,2010-01-01\nae3,78,Trees,2010-02-01\nae3,79,Knots,2010-02-02\n"
        },
        """
        [nodes.Item]
        file = "citeulike_bookmarks.csv"
        id = "paper_id"
        properties = ["paper_title"]
        [edges.BOOKMARKED]
        file = "citeulike_bookmarks.csv"
        from = "User:user_hash"
        to = "Item:paper_id"
        time = { column = "bookmarked_on" }
        """,
    ),
]
