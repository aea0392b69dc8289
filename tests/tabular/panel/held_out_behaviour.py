"""Held-out cases of ratings, views and other behaviour, also not used to develop sniff."""

from . import Case

CASES = [
    Case(
        "an index that pandas called Unnamed",
        {
            "clicks.csv": "Unnamed: 0,user_id,article_id,click_timestamp\n0,59,234853,1507211187\n1,79,159359,1507211190\n2,59,160974,1507211200\n3,154,234853,1507211210\n"
        },
        """
        [edges.CLICKED]
        file = "clicks.csv"
        from = "User:user_id"
        to = "Item:article_id"
        time = { column = "click_timestamp", unit = "s" }
        """,
    ),
    Case(
        "reviews of lodgings with the listing first",
        {
            "reviews.csv": 'listing_id,id,date,reviewer_id,reviewer_name,comments\n2818,1191,2009-03-30,10952,Lam,"Great stay\r\nwould come again"\n2818,1771,2009-04-24,12798,Alice,"Nice host, ""super"""\n20168,1989,2009-05-03,11869,Natalja,fine\n20168,2797,2009-05-18,10952,Lam,ok\n'
        },
        """
        [nodes.User]
        file = "reviews.csv"
        id = "reviewer_id"
        properties = ["reviewer_name"]
        [edges.REVIEWED]
        file = "reviews.csv"
        from = "User:reviewer_id"
        to = "Item:listing_id"
        properties = ["comments"]
        time = { column = "date" }
        """,
    ),
    Case(
        "hotels with months written out",
        {
            "hotel_ratings.csv": "user_id,hotel_id,rating,date_of_stay,city\n1,h1,4,March 3 2012,Oslo\n2,h1,5,April 30 2012,Oslo\n1,h2,2,November 1 2013,Bergen\n3,h2,3,December 24 2013,Bergen\n2,h2,1,May 5 2014,Bergen\n3,h1,4,May 6 2014,Oslo\n"
        },
        """
        [nodes.Item]
        file = "hotel_ratings.csv"
        id = "hotel_id"
        properties = ["city"]
        [edges.RATED]
        file = "hotel_ratings.csv"
        from = "User:user_id"
        to = "Item:hotel_id"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "date_of_stay", format = "%B %d %Y" }
        """,
    ),
    Case(
        "tracks of playlists",
        {
            "playlist_tracks.csv": "playlist_id,pos,track_uri,track_name,artist_name\n1,0,spotify:t1,Song A,Air\n1,1,spotify:t2,Song B,Blur\n2,0,spotify:t1,Song A,Air\n3,0,spotify:t3,Song C,Air\n3,1,spotify:t2,Song B,Blur\n"
        },
        """
        [nodes.Item]
        file = "playlist_tracks.csv"
        id = "track_uri"
        properties = ["track_name"]
        [edges.BY_ARTIST]
        file = "playlist_tracks.csv"
        from = "Item:track_uri"
        to = "Artist:artist_name"
        [edges.LISTENED]
        file = "playlist_tracks.csv"
        from = "User:playlist_id"
        to = "Item:track_uri"
        properties = [{ name = "pos", type = "int" }]
        """,
    ),
    Case(
        "scrobbles by name",
        {
            "scrobbles.csv": "Username,Artist,Track,Album,Date\nbabs,Isobel,Someone New,EP,31 Jan 2021 23:36\nbabs,Air,La Femme,Moon,31 Jan 2021 23:31\nlobby,Air,La Femme,Moon,30 Jan 2021 20:15\nlobby,Isobel,Black Car,EP,29 Jan 2021 01:05\nbabs,Isobel,Black Car,EP,29 Jan 2021 01:01\n"
        },
        """
        [nodes.Item]
        file = "scrobbles.csv"
        id = "Track"
        properties = ["Album"]
        [edges.BY_ARTIST]
        file = "scrobbles.csv"
        from = "Item:Track"
        to = "Artist:Artist"
        [edges.LISTENED]
        file = "scrobbles.csv"
        from = "User:Username"
        to = "Item:Track"
        time = { column = "Date", format = "%d %b %Y %H:%M" }
        """,
    ),
    Case(
        "game reviews as JSON lines with hours",
        {
            "steam_reviews.jsonl": '{"username": "js41637", "product_id": "251610", "hours": 3.1, "date": "2014-06-24", "text": "Good game", "early_access": false}\n{"username": "evcentric", "product_id": "248820", "hours": 0.5, "date": "2013-09-08", "text": "Meh", "early_access": true}\n{"username": "js41637", "product_id": "248820", "hours": 10, "date": "2014-07-24", "text": "Better", "early_access": false}\n'
        },
        """
        [edges.REVIEWED]
        file = "steam_reviews.jsonl"
        from = "User:username"
        to = "Item:product_id"
        weight = "hours"
        properties = ["text", { name = "early_access", type = "bool" }]
        time = { column = "date" }
        """,
    ),
    Case(
        "the line sep=; of a spreadsheet",
        {"r.csv": "sep=;\nuser_id;item_id;rating\nu1;i1;4\nu1;i2;5\nu2;i1;1\n"},
        """
        [edges.RATED]
        file = "r.csv"
        separator = ";"
        skip = 1
        from = "User:user_id"
        to = "Item:item_id"
        properties = [{ name = "rating", type = "float" }]
        """,
    ),
    Case(
        "ratings of products without a header",
        {
            "ratings_Beauty.csv": "A39HTATAQ9V7YF,0205616461,5.0,1369699200\nA3JM6GV9MNOF9X,0558925278,3.0,1355443200\nA1Z513UWSAAO0F,0558925278,5.0,1404691200\nA39HTATAQ9V7YF,0737104473,1.0,1382572800\n"
        },
        """
        [edges.RATED]
        file = "ratings_Beauty.csv"
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#3", name = "rating", type = "float" }]
        time = { column = "#4", unit = "s" }
        """,
    ),
    Case(
        "ratings with two tabs between",
        {
            "jester_ratings.dat": "1\t\t5\t\t0.219\n1\t\t7\t\t-9.281\n2\t\t5\t\t-9.281\n2\t\t13\t\t-6.781\n3\t\t7\t\t0.875\n"
        },
        """
        [edges.RATED]
        file = "jester_ratings.dat"
        separator = "\\t\\t"
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#3", name = "rating", type = "float" }]
        """,
    ),
    Case(
        "the relevance of tags for films",
        {
            "genome-scores.csv": "movieId,tagId,relevance\n1,1,0.025\n1,2,0.024\n2,1,0.039\n2,3,0.41\n3,2,0.11\n",
            "genome-tags.csv": "tagId,tag\n1,007\n2,18th century\n3,action\n",
            "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,964981247\n2,3,5.0,964982224\n2,1,0.5,964983815\n",
        },
        """
        [nodes.Tag]
        file = "genome-tags.csv"
        id = "tagId"
        properties = ["tag"]
        [edges.HAS_TAG]
        file = "genome-scores.csv"
        from = "Item:movieId"
        to = "Tag:tagId"
        properties = [{ name = "relevance", type = "float" }]
        [edges.RATED]
        file = "ratings.csv"
        from = "User:userId"
        to = "Item:movieId"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "timestamp", unit = "s" }
        """,
    ),
    Case(
        "applications for jobs",
        {
            "apps.tsv": "UserID\tWindowID\tSplit\tApplicationDate\tJobID\n47\t1\tTrain\t2012-04-04 15:56:23.537\t169528\n47\t1\tTrain\t2012-04-06 01:03:00.003\t284009\n72\t1\tTest\t2012-04-07 16:21:07.003\t169528\n80\t1\tTrain\t2012-04-08 16:21:07.003\t284009\n"
        },
        """
        [edges.APPLIED]
        file = "apps.tsv"
        separator = "\\t"
        from = "User:UserID"
        to = "Item:JobID"
        properties = [{ name = "WindowID", type = "int" }, "Split"]
        time = { column = "ApplicationDate" }
        """,
    ),
    Case(
        "clicks of students, with the word before the id",
        {
            "studentVle.csv": "code_module,code_presentation,id_student,id_site,date,sum_click\nAAA,2013J,28400,546652,-10,4\nAAA,2013J,28400,546614,-10,1\nBBB,2013J,30268,546652,-9,11\nBBB,2014B,30268,546614,-8,2\nAAA,2013J,31604,546652,-8,3\n"
        },
        """
        [edges.CLICKED]
        file = "studentVle.csv"
        from = "User:id_student"
        to = "Item:id_site"
        weight = "sum_click"
        properties = ["code_module", "code_presentation", { name = "date", type = "int" }]
        """,
    ),
    Case(
        "books read by members, months of one form in folders",
        {
            "2023/01/loans.csv": "member,book,loan_date\nm1,b1,2023-01-03\nm2,b2,2023-01-09\n",
            "2023/02/loans.csv": "member,book,loan_date\nm1,b2,2023-02-03\nm3,b1,2023-02-09\n",
        },
        """
        [edges.BORROWED]
        file = ["2023/01/loans.csv", "2023/02/loans.csv"]
        from = "User:member"
        to = "Item:book"
        time = { column = "loan_date" }
        """,
        ("2023",),
    ),
    Case(
        "votes on a scale of words, with both user names",
        {"helpful.csv": "voter_id,author_id,review_id,vote\nv1,a1,r1,up\nv2,a1,r1,down\nv1,a2,r2,up\nv3,a2,r3,up\n"},
        """
        [edges.RATED]
        file = "helpful.csv"
        from = "User:voter_id"
        to = "Item:review_id"
        properties = ["vote"]
        [edges.BY_AUTHOR]
        file = "helpful.csv"
        from = "Item:review_id"
        to = "Author:author_id"
        """,
    ),
    Case(
        "recipes cooked, with an escape before quotes and an id in braces",
        {
            "cooked.csv": 'user_guid,recipe_guid,note,cooked_at\n{A1},{R1},"said \\"wow\\", twice",2022-05-01T12:00:00\n{A2},{R1},"fine",2022-05-02T12:00:00\n{A1},{R2},"a \\"b\\" c",2022-05-03T12:00:00\n'
        },
        """
        [edges.VIEWED]
        file = "cooked.csv"
        escape = "\\\\"
        from = "User:user_guid"
        to = "Item:recipe_guid"
        properties = ["note"]
        time = { column = "cooked_at" }
        """,
    ),
    Case(
        "courses with categories joined by commas, and wishes",
        {
            "course.csv": 'course_id,title,categories,level\nc1,Python,"Programming, Data",1\nc2,Piano,Music,2\nc3,Statistics,"Data, Mathematics",2\nc4,R,"Programming, Data",1\n',
            "wishlist.csv": "learner_id,course_id,added_at\n1,c1,2023-03-01 10:00:00\n2,c1,2023-03-02 10:00:00\n1,c3,2023-03-03 10:00:00\n",
        },
        """
        [nodes.Item]
        file = "course.csv"
        id = "course_id"
        properties = ["title", { name = "level", type = "int" }]
        [edges.IN_CATEGORY]
        file = "course.csv"
        from = "Item:course_id"
        to = "Category:categories"
        split = ", "
        [edges.WISHLISTED]
        file = "wishlist.csv"
        from = "User:learner_id"
        to = "Item:course_id"
        time = { column = "added_at" }
        """,
    ),
    Case(
        "who trusts whom with spaces before the numbers",
        {"trust_data.txt": " 22605 42915 1\n 22605 5052 1\n 42915 22605 1\n 5052 42915 1\n"},
        """
        [edges.TRUSTS]
        file = "trust_data.txt"
        separator = " "
        from = "User:#2"
        to = "User:#3"
        properties = [{ column = "#4", type = "int" }]
        """,
    ),
]
