"""Music, games, places, courses, articles and social networks."""

from . import Case

CASES = [
    Case(
        "plays of artists, friends and tags of a music site",
        {
            "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13883\n2\t52\t11690\n3\t51\t228\n4\t53\t20\n",
            "artists.dat": "id\tname\turl\n51\tDuran Duran\thttp://www.last.example/1\n52\tMorcheeba\thttp://www.last.example/2\n53\tAir\thttp://www.last.example/3\n",
            "user_friends.dat": "userID\tfriendID\n2\t3\n2\t4\n3\t2\n4\t2\n",
        },
        """
        [nodes.Item]
        file = "artists.dat"
        separator = "\\t"
        id = "id"
        properties = ["name", "url"]
        [edges.LISTENED]
        file = "user_artists.dat"
        separator = "\\t"
        from = "User:userID"
        to = "Item:artistID"
        weight = "weight"
        [edges.FRIEND]
        file = "user_friends.dat"
        separator = "\\t"
        from = "User:userID"
        to = "User:friendID"
        """,
    ),
    Case(
        "plays without a header",
        {
            "usersha1-artmbid-artname-plays.tsv": "00000c289a1829a8\t3bd73256-3905\tbetty blowtorch\t2137\n00000c289a1829a8\tf2fb0ff0-5679\tdie Ärzte\t1099\n00001411dc427966\tf2fb0ff0-5679\tdie Ärzte\t897\n00001411dc427966\t3d6bbeb7-f90e\tmelissa etheridge\t717\n00004d2ac9316e22\t3d6bbeb7-f90e\tmelissa etheridge\t706\n"
        },
        """
        [edges.PLAYED]
        file = "usersha1-artmbid-artname-plays.tsv"
        separator = "\\t"
        from = "User:#1"
        to = "Item:#2"
        weight = "#4"
        [nodes.Item]
        file = "usersha1-artmbid-artname-plays.tsv"
        separator = "\\t"
        id = "#2"
        properties = ["#3"]
        """,
    ),
    Case(
        "plays of songs as a triplet file with a header",
        {
            "train_triplets.csv": "user,song,play_count\nb80344,SOAKIMP12,1\nb80344,SOAPDEY12,1\nb80344,SOBBMDR12,2\n85c1f8,SOBBMDR12,10\n85c1f8,SOAKIMP12,1\n"
        },
        """
        [edges.LISTENED]
        file = "train_triplets.csv"
        from = "User:user"
        to = "Item:song"
        weight = "play_count"
        """,
    ),
    Case(
        "purchases and hours of games without a header",
        {
            "steam-200k.csv": '151603712,"The Elder Scrolls V Skyrim",purchase,1.0,0\n151603712,"The Elder Scrolls V Skyrim",play,273.0,0\n151603712,"Fallout 4",purchase,1.0,0\n151603712,"Fallout 4",play,87.0,0\n187131847,"Dota 2",purchase,1.0,0\n187131847,"Dota 2",play,2.3,0\n59945701,"Fallout 4",purchase,1.0,0\n59945701,"Dota 2",play,0.6,0\n'
        },
        """
        [edges.PURCHASED]
        file = "steam-200k.csv"
        where = { "#3" = ["purchase"] }
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#4", type = "float" }, { column = "#5", type = "int" }]
        [edges.PLAYED]
        file = "steam-200k.csv"
        where = { "#3" = ["play"] }
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#4", type = "float" }, { column = "#5", type = "int" }]
        """,
    ),
    Case(
        "check-ins with times as a social network writes them",
        {
            "checkins_NYC.txt": "userId\tvenueId\tvenueCategoryId\tvenueCategory\tlatitude\tlongitude\ttimezoneOffset\tutcTimestamp\n470\t49bbd6c0\t4bf58127\tArts & Crafts Store\t40.71981\t-74.00258\t-240\tTue Apr 03 18:00:09 +0000 2012\n979\t4a43c0ae\t4bf5811d\tBridge\t40.60679\t-74.04416\t-240\tTue Apr 03 18:00:25 +0000 2012\n69\t49bbd6c0\t4bf58127\tArts & Crafts Store\t40.71981\t-74.00258\t-240\tTue Apr 03 18:02:24 +0000 2012\n470\t4a43c0ae\t4bf5811d\tBridge\t40.60679\t-74.04416\t-240\tSat Apr 07 18:02:24 +0000 2012\n69\t4a43c0ae\t4bf5811d\tBridge\t40.60679\t-74.04416\t-240\tSat Apr 07 19:02:24 +0000 2012\n"
        },
        """
        [nodes.Item]
        file = "checkins_NYC.txt"
        separator = "\\t"
        id = "venueId"
        properties = ["venueCategory", { name = "latitude", type = "float" }, { name = "longitude", type = "float" }]
        [edges.IN_CATEGORY]
        file = "checkins_NYC.txt"
        separator = "\\t"
        from = "Item:venueId"
        to = "Category:venueCategoryId"
        [edges.VISITED]
        file = "checkins_NYC.txt"
        separator = "\\t"
        from = "User:userId"
        to = "Item:venueId"
        properties = [{ name = "timezoneOffset", type = "int" }]
        time = { column = "utcTimestamp", format = "%a %b %d %H:%M:%S %z %Y" }
        """,
    ),
    Case(
        "check-ins and friendships without headers",
        {
            "Gowalla_totalCheckins.txt": "0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n0\t2010-10-18T22:17:43Z\t30.2691029532\t-97.7493953705\t420315\n1\t2010-10-17T23:42:03Z\t30.2557309927\t-97.7633857727\t316637\n1\t2010-10-17T19:26:05Z\t30.2359091167\t-97.7951395833\t22847\n2\t2010-10-16T18:50:42Z\t30.2691029532\t-97.7493953705\t420315\n",
            "Gowalla_friends.txt": "0\t1\n0\t2\n1\t0\n2\t0\n",
        },
        """
        [edges.VISITED]
        file = "Gowalla_totalCheckins.txt"
        separator = "\\t"
        from = "User:#1"
        to = "Item:#5"
        time = { column = "#2" }
        [nodes.Item]
        file = "Gowalla_totalCheckins.txt"
        separator = "\\t"
        id = "#5"
        properties = [{ column = "#3", type = "float" }, { column = "#4", type = "float" }]
        [edges.FRIEND]
        file = "Gowalla_friends.txt"
        separator = "\\t"
        from = "User:#1"
        to = "User:#2"
        """,
    ),
    Case(
        "who follows whom, with a preamble of comments",
        {
            "soc-follow.txt": "# Directed graph: soc-follow.txt\n# Nodes: 5 Edges: 6\n# FromNodeId\tToNodeId\n30\t1412\n30\t3352\n1412\t30\n3352\t5254\n5254\t30\n5254\t1412\n"
        },
        """
        [edges.FOLLOWS]
        file = "soc-follow.txt"
        separator = "\\t"
        comment = "#"
        from = "User:#1"
        to = "User:#2"
        """,
    ),
    Case(
        "followers and followees",
        {
            "network.csv": "follower_id,followee_id,created_at\n12,13,2021-01-03T00:00:00+01:00\n12,14,2021-02-03T00:00:00+01:00\n13,12,2021-03-03T00:00:00+01:00\n"
        },
        """
        [edges.FOLLOWS]
        file = "network.csv"
        from = "User:follower_id"
        to = "User:followee_id"
        time = { column = "created_at" }
        """,
    ),
    Case(
        "trust between raters",
        {
            "trust_data.csv": "trustor,trustee,value\nu1,u2,1\nu1,u3,1\nu2,u3,1\nu3,u1,1\n",
            "ratings_data.csv": "user,item,rating\nu1,i1,5\nu2,i1,4\nu3,i2,1\nu1,i2,3\n",
        },
        """
        [edges.TRUSTS]
        file = "trust_data.csv"
        from = "User:trustor"
        to = "User:trustee"
        properties = [{ name = "value", type = "int" }]
        [edges.RATED]
        file = "ratings_data.csv"
        from = "User:user"
        to = "Item:item"
        properties = [{ name = "rating", type = "float" }]
        """,
    ),
    Case(
        "readers of articles, with the kind of event in another case",
        {
            "users_interactions.csv": "timestamp,eventType,contentId,personId,sessionId,userCountry\n1465413032,VIEW,-3499919498720038879,-8845298781299428018,1264196770339959068,\n1465412560,VIEW,8890720798209849691,-1032019229384696495,3621737643587579081,US\n1465416190,FOLLOW,310515487419366995,-1130272294246983140,2631864456530402479,\n1465413895,LIKE,-3499919498720038879,-1130272294246983140,2631864456530402479,\n1465413895,BOOKMARK,8890720798209849691,-8845298781299428018,1264196770339959068,\n1465414895,VIEW,310515487419366995,-1032019229384696495,3621737643587579081,US\n",
        },
        """
        [nodes.User]
        file = "users_interactions.csv"
        id = "personId"
        properties = ["userCountry"]
        [edges.VIEWED]
        file = "users_interactions.csv"
        where = { eventType = ["VIEW"] }
        from = "User:personId"
        to = "Item:contentId"
        properties = [{ name = "sessionId", type = "int" }]
        time = { column = "timestamp", unit = "s" }
        [edges.LIKED]
        file = "users_interactions.csv"
        where = { eventType = ["LIKE"] }
        from = "User:personId"
        to = "Item:contentId"
        properties = [{ name = "sessionId", type = "int" }]
        time = { column = "timestamp", unit = "s" }
        [edges.FOLLOWED]
        file = "users_interactions.csv"
        where = { eventType = ["FOLLOW"] }
        from = "User:personId"
        to = "Item:contentId"
        properties = [{ name = "sessionId", type = "int" }]
        time = { column = "timestamp", unit = "s" }
        [edges.BOOKMARKED]
        file = "users_interactions.csv"
        where = { eventType = ["BOOKMARK"] }
        from = "User:personId"
        to = "Item:contentId"
        properties = [{ name = "sessionId", type = "int" }]
        time = { column = "timestamp", unit = "s" }
        """,
    ),
    Case(
        "loans of a library",
        {
            "loans.csv": "loan_id,patron_id,barcode,title,author,loaned_at,returned_at\n1,P001,300111,Emma,Jane Austen,03/02/2023 10:15,24/02/2023 11:00\n2,P002,300112,Dune,Frank Herbert,04/02/2023 09:05,\n3,P001,300112,Dune,Frank Herbert,13/03/2023 17:45,30/03/2023 10:00\n4,P003,300111,Emma,Jane Austen,15/03/2023 12:00,01/04/2023 10:30\n"
        },
        """
        [nodes.Item]
        file = "loans.csv"
        id = "barcode"
        properties = ["title"]
        [edges.BY_AUTHOR]
        file = "loans.csv"
        from = "Item:barcode"
        to = "Author:author"
        [edges.BORROWED]
        file = "loans.csv"
        from = "User:patron_id"
        to = "Item:barcode"
        properties = ["returned_at"]
        time = { column = "loaned_at", format = "%d/%m/%Y %H:%M" }
        """,
    ),
    Case(
        "stars of repositories as JSON lines with nested users",
        {
            "stars.jsonl": '{"user": {"login": "ann", "type": "User"}, "repo": {"full_name": "a/x", "language": "Python"}, "starred_at": "2022-03-01T08:00:00Z"}\n{"user": {"login": "bob", "type": "User"}, "repo": {"full_name": "a/x", "language": "Python"}, "starred_at": "2022-03-02T08:00:00Z"}\n{"user": {"login": "ann", "type": "User"}, "repo": {"full_name": "b/y", "language": "Go"}, "starred_at": "2022-03-03T08:00:00Z"}\n{"user": {"login": "cy", "type": "Organization"}, "repo": {"full_name": "b/y", "language": "Go"}, "starred_at": "2022-03-04T08:00:00Z"}\n'
        },
        """
        [nodes.User]
        file = "stars.jsonl"
        id = "/user/login"
        properties = [{ column = "/user/type" }]
        [nodes.Item]
        file = "stars.jsonl"
        id = "/repo/full_name"
        properties = [{ column = "/repo/language" }]
        [edges.STARRED]
        file = "stars.jsonl"
        from = "User:/user/login"
        to = "Item:/repo/full_name"
        time = { column = "starred_at" }
        """,
    ),
    Case(
        "enrolments of students in courses",
        {
            "enrollments.csv": "enrollment_id,username,course_id\n1,9Uee7oEu,DPnLzkJJ\n3,1qXC7Fjb,7GRhBDir\n4,FIHlppZy,DPnLzkJJ\n5,9Uee7oEu,7GRhBDir\n",
            "courses.csv": "course_id,course_name,start_date\nDPnLzkJJ,Calculus,2014-06-12\n7GRhBDir,Poetry,2013-10-27\n",
        },
        """
        [nodes.Item]
        file = "courses.csv"
        id = "course_id"
        properties = ["course_name", "start_date"]
        [edges.ENROLLED]
        file = "enrollments.csv"
        from = "User:username"
        to = "Item:course_id"
        """,
    ),
    Case(
        "artists of tracks and listens of both",
        {
            "listens.tsv": "user_id\tlistened_at\tartist_name\ttrack_id\ttrack_name\tplays\n1\t2020-01-01 10:00:00\tAir\tt1\tLa Femme\t3\n1\t2020-01-01 10:05:00\tAir\tt2\tSexy Boy\t1\n2\t2020-01-02 10:00:00\tBlur\tt3\tSong 2\t9\n2\t2020-01-02 11:00:00\tAir\tt1\tLa Femme\t2\n3\t2020-01-03 11:00:00\tBlur\tt3\tSong 2\t4\n"
        },
        """
        [nodes.Item]
        file = "listens.tsv"
        separator = "\\t"
        id = "track_id"
        properties = ["track_name"]
        [edges.BY_ARTIST]
        file = "listens.tsv"
        separator = "\\t"
        from = "Item:track_id"
        to = "Artist:artist_name"
        [edges.LISTENED]
        file = "listens.tsv"
        separator = "\\t"
        from = "User:user_id"
        to = "Item:track_id"
        weight = "plays"
        time = { column = "listened_at" }
        """,
    ),
    Case(
        "users, then the items of each, on one line",
        {"train.txt": "0 0 1 2 3 4 5\n1 2 6 7\n2 8 1\n3 9 10 2 11 12 13\n4 3\n"},
        """
        [edges.VIEWED]
        file = "train.txt"
        separator = " "
        shape = "basket"
        from = "User:basket"
        to = "Item:item"
        """,
    ),
    Case(
        "items and their categories as pairs",
        {
            "item_category.csv": "product_id,category\np1,Tea\np1,Gifts\np2,Tea\np3,Mugs\np3,Gifts\n",
            "sales.csv": "customer,product_id,sold_on\nc1,p1,2024-01-02\nc2,p1,2024-01-03\nc1,p2,2024-01-03\nc2,p3,2024-01-04\n",
        },
        """
        [edges.IN_CATEGORY]
        file = "item_category.csv"
        from = "Item:product_id"
        to = "Category:category"
        [edges.PURCHASED]
        file = "sales.csv"
        from = "User:customer"
        to = "Item:product_id"
        time = { column = "sold_on" }
        """,
    ),
    Case(
        "books and their authors in files of their own",
        {
            "books.csv": "id,title,author_id,pages\n1,Emma,7,320\n2,Dune,8,412\n3,Persuasion,7,250\n",
            "authors.csv": "id,name,born\n7,Jane Austen,1775\n8,Frank Herbert,1920\n",
            "readings.csv": "reader_id,book_id,finished_on\n31,1,2020-02-01\n31,2,2020-03-01\n32,3,2020-03-05\n33,1,2020-03-09\n",
        },
        """
        [nodes.Item]
        file = "books.csv"
        id = "id"
        properties = ["title", { name = "pages", type = "int" }]
        [nodes.Author]
        file = "authors.csv"
        id = "id"
        properties = ["name", { name = "born", type = "int" }]
        [edges.BY_AUTHOR]
        file = "books.csv"
        from = "Item:id"
        to = "Author:author_id"
        [edges.READ]
        file = "readings.csv"
        from = "User:reader_id"
        to = "Item:book_id"
        time = { column = "finished_on" }
        """,
    ),
    Case(
        "users and items called by one column each, with birthdays",
        {
            "people.csv": "person_id,first_name,birth_date,city\n1,Ann,1980-04-05,Bonn\n2,Bo,1991-12-31,Ulm\n3,Cy,2001-06-30,Ulm\n",
            "donations.csv": "person_id,campaign_code,amount,donated_on\n1,CMP-A,50,20240213\n2,CMP-A,20,20240301\n2,CMP-B,10,20240305\n3,CMP-B,5,20240401\n",
        },
        """
        [nodes.User]
        file = "people.csv"
        id = "person_id"
        properties = ["first_name", "birth_date", "city"]
        [edges.DONATED]
        file = "donations.csv"
        from = "User:person_id"
        to = "Item:campaign_code"
        properties = [{ name = "amount", type = "int" }]
        time = { column = "donated_on", format = "%Y%m%d" }
        """,
    ),
]
