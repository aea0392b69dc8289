"""Ratings of films, books and anime."""

from . import Case

CASES = [
    Case(
        "four files of films: ratings, titles, tags and links",
        {
            "ratings.csv": "userId,movieId,rating,timestamp\n1,10,4.0,964982703\n1,11,3.5,964981247\n2,10,5.0,964982224\n2,12,0.5,964983815\n3,12,4.0,964982931\n",
            "movies.csv": 'movieId,title,genres\n10,"Heat, the (1995)",Crime|Drama\n11,Toy Story (1995),Comedy\n12,Alien (1979),(no genres listed)\n',
            "tags.csv": "userId,movieId,tag,timestamp\n1,10,heist,1445714994\n1,10,tense,1445714996\n2,12,space,1445715207\n",
            "links.csv": "movieId,imdbId,tmdbId\n10,0113277,949\n11,0114709,862\n12,0078748,348\n",
        },
        """
        [nodes.Item]
        sql = ""
        files = { movies = "movies.csv", links = "links.csv" }
        id = "movieId"
        properties = ["title", "imdbId", { name = "tmdbId", type = "int" }]
        [edges.IN_GENRE]
        sql = ""
        files = { movies = "movies.csv", links = "links.csv" }
        from = "Item:movieId"
        to = "Genre:genres"
        split = "|"
        [edges.RATED]
        file = "ratings.csv"
        from = "User:userId"
        to = "Item:movieId"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "timestamp", unit = "s" }
        [edges.TAGGED]
        file = "tags.csv"
        from = "User:userId"
        to = "Item:movieId"
        properties = ["tag"]
        key = ["tag"]
        time = { column = "timestamp", unit = "s" }
        """,
    ),
    Case(
        "tabs and pipes without headers",
        {
            "u.data": "196\t242\t3\t881250949\n186\t302\t3\t891717742\n22\t377\t1\t878887116\n244\t51\t2\t880606923\n196\t302\t4\t881251274\n",
            "u.user": "22|24|M|technician|85711\n186|53|F|other|94043\n196|23|M|writer|32067\n244|24|M|technician|T8H1N\n",
            "u.item": "51|Legends of the Fall (1994)|01-Jan-1994||http://us.imdb.com/51|0|1\n242|Kolya (1996)|24-Jan-1997||http://us.imdb.com/242|1|0\n302|L.A. Confidential (1997)|01-Jan-1997||http://us.imdb.com/302|0|1\n377|Heavyweights (1994)|01-Jan-1994||http://us.imdb.com/377|1|0\n",
        },
        """
        [nodes.User]
        file = "u.user"
        separator = "|"
        id = "#1"
        properties = [{ column = "#2", type = "int" }, "#3", "#4", "#5"]
        [nodes.Item]
        file = "u.item"
        separator = "|"
        id = "#1"
        properties = ["#2", "#3", "#5", { column = "#6", type = "int" }, { column = "#7", type = "int" }]
        [edges.RATED]
        file = "u.data"
        separator = "\\t"
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#3", name = "rating", type = "float" }]
        time = { column = "#4", unit = "s" }
        """,
    ),
    Case(
        "double colons and an old encoding",
        {
            "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n2::3068::4::978299000\n",
            "movies.dat": "661::James and the Giant Peach (1996)::Animation|Children's|Musical\n1193::Amélie (2001)::Comedy\n3068::Verdict, The (1982)::Drama\n".encode(
                "latin-1"
            ),
            "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::15::55117\n",
        },
        """
        [nodes.User]
        file = "users.dat"
        separator = "::"
        id = "#1"
        properties = ["#2", { column = "#3", type = "int" }, { column = "#4", type = "int" }, { column = "#5", type = "int" }]
        [nodes.Item]
        file = "movies.dat"
        separator = "::"
        encoding = "cp1252"
        id = "#1"
        properties = ["#2"]
        [edges.IN_GENRE]
        file = "movies.dat"
        separator = "::"
        encoding = "cp1252"
        from = "Item:#1"
        to = "Genre:#3"
        split = "|"
        [edges.RATED]
        file = "ratings.dat"
        separator = "::"
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#3", name = "rating", type = "float" }]
        time = { column = "#4", unit = "s" }
        """,
    ),
    Case(
        "books whose rating 0 means not rated",
        {
            "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\n'
            + "".join(
                f'"{276725 + n % 7}";"03454510{n % 5:02d}X";"{grade}"\n'
                for n, grade in enumerate([0, 5, 0, 3, 0, 0, 8, 0, 9, 0, 7, 0, 0, 10, 0, 6, 0, 0, 8, 0, 0, 0])
            ),
            "BX-Users.csv": '"User-ID";"Location";"Age"\n"276725";"nyc, new york, usa";NULL\n"276726";"stockton, california, usa";"18"\n"276727";"porto, portugal";NULL\n"276728";"bonn, germany";"17"\n',
            "BX-Books.csv": '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher"\n"0345451000X";"The \\"Blue\\" Door; a novel";"Ann Poe";"1999";"Vintage"\n"0345451001X";"Clara";"Ann Poe";"2001";"Vintage"\n"0345451002X";"Ruín";"Bo Li";"2001";"HarperFlamingo"\n"0345451003X";"Dust";"Cy Fox";"1991";"HarperFlamingo"\n'.encode(
                "latin-1"
            ),
        },
        """
        [nodes.User]
        file = "BX-Users.csv"
        separator = ";"
        missing = ["", "NULL"]
        id = "User-ID"
        properties = ["Location", { column = "Age", type = "int" }]
        [nodes.Item]
        file = "BX-Books.csv"
        separator = ";"
        encoding = "cp1252"
        escape = "\\\\"
        id = "ISBN"
        properties = ["Book-Title", { column = "Year-Of-Publication", type = "int" }]
        [edges.BY_AUTHOR]
        file = "BX-Books.csv"
        separator = ";"
        encoding = "cp1252"
        escape = "\\\\"
        from = "Item:ISBN"
        to = "Author:Book-Author"
        [edges.PUBLISHED_BY]
        file = "BX-Books.csv"
        separator = ";"
        encoding = "cp1252"
        escape = "\\\\"
        from = "Item:ISBN"
        to = "Publisher:Publisher"
        [edges.RATED]
        file = "BX-Book-Ratings.csv"
        separator = ";"
        where = { Book-Rating = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] }
        from = "User:User-ID"
        to = "Item:ISBN"
        properties = [{ column = "Book-Rating", name = "rating", type = "float" }]
        [edges.INTERACTED]
        file = "BX-Book-Ratings.csv"
        separator = ";"
        where = { Book-Rating = ["0"] }
        from = "User:User-ID"
        to = "Item:ISBN"
        """,
    ),
    Case(
        "anime with lists of genres and −1 for watched but not rated",
        {
            "rating.csv": "user_id,anime_id,rating\n1,20,-1\n1,24,-1\n1,79,8\n2,20,10\n2,226,-1\n2,241,7\n3,20,8\n3,154,6\n3,170,9\n3,199,-1\n",
            "anime.csv": 'anime_id,name,genre,type,episodes,rating,members\n20,Naruto Night,"Action, Comedy",TV,220,7.81,683297\n24,School Noise,"Comedy, School, Shounen",TV,24,8.26,178553\n79,Shuffle Days,"Comedy, Drama, School",TV,24,7.31,158772\n226,Elf Song,"Drama, Horror",TV,Unknown,7.85,623511\n241,Girls Only,Comedy,OVA,1,6.1,72534\n',
        },
        """
        [nodes.Item]
        file = "anime.csv"
        id = "anime_id"
        missing = ["", "Unknown"]
        properties = ["name", "type", { name = "episodes", type = "int" }, { name = "rating", type = "float" }, { name = "members", type = "int" }]
        [edges.IN_GENRE]
        file = "anime.csv"
        from = "Item:anime_id"
        to = "Genre:genre"
        split = ", "
        [edges.RATED]
        file = "rating.csv"
        where = { rating = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] }
        from = "User:user_id"
        to = "Item:anime_id"
        properties = [{ name = "rating", type = "float" }]
        [edges.INTERACTED]
        file = "rating.csv"
        where = { rating = ["-1"] }
        from = "User:user_id"
        to = "Item:anime_id"
        """,
    ),
    Case(
        "books read, rated and reviewed by flags",
        {
            "goodreads_interactions.csv": "user_id,book_id,is_read,rating,is_reviewed\n"
            + "".join(
                f"{n % 6},{900 + n % 7},{int(grade > 0 or n % 5 == 0)},{grade},{int(grade == 5 or n % 11 == 3)}\n"
                for n, grade in enumerate([5, 0, 3, 0, 0, 4, 0, 2, 0, 5, 4, 0, 3, 0, 1, 0])
            ),
        },
        """
        [edges.RATED]
        file = "goodreads_interactions.csv"
        where = { rating = ["1", "2", "3", "4", "5"] }
        from = "User:user_id"
        to = "Item:book_id"
        properties = [{ name = "is_read", type = "int" }, { name = "rating", type = "float" }, { name = "is_reviewed", type = "int" }]
        [edges.INTERACTED]
        file = "goodreads_interactions.csv"
        where = { rating = ["0"] }
        from = "User:user_id"
        to = "Item:book_id"
        properties = [{ name = "is_read", type = "int" }, { name = "is_reviewed", type = "int" }]
        """,
    ),
]
