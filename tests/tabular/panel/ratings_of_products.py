"""Ratings and reviews of products, places, dishes and items of unknown kind."""

from . import Case

CASES = [
    Case(
        "product reviews as JSON lines",
        {
            "reviews_Music_5.json": '{"reviewerID": "A1", "asin": "0001", "reviewerName": "ann", "helpful": [0, 0], "reviewText": "Not much to say", "overall": 5.0, "summary": "good", "unixReviewTime": 1393545600, "reviewTime": "02 28, 2014"}\n{"reviewerID": "A2", "asin": "0001", "reviewerName": "bob", "helpful": [13, 14], "reviewText": "so so", "overall": 4.0, "summary": "Jake", "unixReviewTime": 1363392000, "reviewTime": "03 16, 2013"}\n{"reviewerID": "A1", "asin": "0002", "reviewerName": "ann", "helpful": [1, 1], "reviewText": "no", "overall": 1.0, "summary": "bad", "unixReviewTime": 1377648000, "reviewTime": "08 28, 2013"}\n{"reviewerID": "A1", "asin": "0003", "reviewerName": "ann", "helpful": [0, 0], "reviewText": "yes", "overall": 5.0, "summary": "nice", "unixReviewTime": 1392336000, "reviewTime": "02 14, 2014"}\n'
        },
        """
        [nodes.User]
        file = "reviews_Music_5.json"
        id = "reviewerID"
        properties = ["reviewerName"]
        [edges.REVIEWED]
        file = "reviews_Music_5.json"
        from = "User:reviewerID"
        to = "Item:asin"
        properties = ["helpful", "reviewText", { name = "rating", column = "overall", type = "float" }, "summary", "reviewTime"]
        time = { column = "unixReviewTime", unit = "s" }
        """,
    ),
    Case(
        "newer product reviews with two ids of the item",
        {
            "Beauty.jsonl": "".join(
                f'{{"rating": {rating}, "title": "{title}", "text": "{text}", "images": [], "asin": "B0{asin}", "parent_asin": "P0{asin[0]}", "user_id": "AG{user}", "timestamp": {1588687728923 + 86400000 * user}, "helpful_vote": {user % 3}, "verified_purchase": true}}\n'
                for rating, title, text, asin, user in [
                    (5.0, "Nice", "It smells good", "1a", 1),
                    (4.0, "Works great", "my hair likes it", "1a", 2),
                    (5.0, "Yes!", "Smells fine", "1b", 3),
                    (1.0, "Synthetic", "felt odd", "2a", 4),
                    (5.0, "A+", "loved it", "2a", 1),
                    (3.0, "ok", "fine", "2b", 2),
                ]
            )
        },
        """
        [edges.REVIEWED]
        file = "Beauty.jsonl"
        from = "User:user_id"
        to = "Item:asin"
        properties = [{ name = "rating", type = "float" }, "title", "text", { name = "helpful_vote", type = "int" }, { name = "verified_purchase", type = "bool" }]
        time = { column = "timestamp", unit = "ms" }
        [nodes.Item]
        file = "Beauty.jsonl"
        id = "asin"
        properties = ["parent_asin"]
        """,
    ),
    Case(
        "reviews, businesses and users with friends in a field",
        {
            "review.json": '{"review_id":"r1","user_id":"u1","business_id":"b1","stars":3.0,"useful":0,"funny":0,"cool":1,"text":"Decent.","date":"2018-07-07 22:09:11"}\n{"review_id":"r2","user_id":"u2","business_id":"b1","stars":5.0,"useful":1,"funny":0,"cool":1,"text":"I love it","date":"2012-01-03 15:28:18"}\n{"review_id":"r3","user_id":"u1","business_id":"b2","stars":3.0,"useful":0,"funny":2,"cool":0,"text":"Meh","date":"2014-02-05 20:30:30"}\n{"review_id":"r4","user_id":"u3","business_id":"b2","stars":5.0,"useful":1,"funny":0,"cool":1,"text":"Wow","date":"2015-01-04 00:01:03"}\n',
            "business.json": '{"business_id":"b1","name":"Pho Corner","city":"Tampa","stars":4.5,"is_open":1,"attributes":null,"categories":"Restaurants, Vietnamese"}\n{"business_id":"b2","name":"Bagel Bar","city":"Reno","stars":3.0,"is_open":0,"attributes":null,"categories":"Bakeries, Coffee, Restaurants"}\n{"business_id":"b3","name":"Nail Inn","city":"Reno","stars":3.5,"is_open":1,"attributes":null,"categories":"Beauty, Nails"}\n',
            "user.json": '{"user_id":"u1","name":"Ann","review_count":58,"yelping_since":"2007-01-25 16:47:26","friends":"u2, u3"}\n{"user_id":"u2","name":"Bob","review_count":4,"yelping_since":"2009-04-25 16:47:26","friends":"u1"}\n{"user_id":"u3","name":"Cy","review_count":1,"yelping_since":"2010-07-25 16:47:26","friends":"None"}\n',
        },
        """
        [nodes.User]
        file = "user.json"
        id = "user_id"
        properties = ["name", { name = "review_count", type = "int" }, "yelping_since"]
        [nodes.Item]
        file = "business.json"
        id = "business_id"
        properties = ["name", "city", { name = "stars", type = "float" }, { name = "is_open", type = "int" }]
        [edges.IN_CATEGORY]
        file = "business.json"
        from = "Item:business_id"
        to = "Category:categories"
        split = ", "
        [edges.FRIEND]
        file = "user.json"
        missing = ["", "None"]
        from = "User:user_id"
        to = "User:friends"
        split = ", "
        [edges.REVIEWED]
        file = "review.json"
        from = "User:user_id"
        to = "Item:business_id"
        properties = [{ name = "rating", column = "stars", type = "float" }, { name = "useful", type = "int" }, { name = "funny", type = "int" }, { name = "cool", type = "int" }, "text"]
        time = { column = "date" }
        """,
    ),
    Case(
        "ratings and trust with spaces between",
        {
            "ratings.txt": "1 1 2\n1 2 4\n1 3 3.5\n2 1 3\n2 5 0.5\n3 3 4\n",
            "trust.txt": "2 966 1\n2 104 1\n5 1509 1\n966 2 1\n",
        },
        """
        [edges.RATED]
        file = "ratings.txt"
        separator = " "
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#3", name = "rating", type = "float" }]
        [edges.TRUSTS]
        file = "trust.txt"
        separator = " "
        from = "User:#1"
        to = "User:#2"
        properties = [{ column = "#3", type = "int" }]
        """,
    ),
    Case(
        "names with types after a colon",
        {
            "ml.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n186\t302\t3\t891717742\n22\t242\t1\t878887116\n196\t302\t5\t878887117\n",
            "ml.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n242\tKolya\t1996\tComedy\n302\tL.A. Confidential\t1997\tCrime Film-Noir Mystery\n377\tHeavyweights\t1994\tChildren's Comedy\n",
        },
        """
        [nodes.Item]
        file = "ml.item"
        separator = "\\t"
        id = "item_id:token"
        properties = ["movie_title:token_seq", { column = "release_year:token", type = "int" }, "class:token_seq"]
        [edges.RATED]
        file = "ml.inter"
        separator = "\\t"
        from = "User:user_id:token"
        to = "Item:item_id:token"
        properties = [{ column = "rating:float", name = "rating", type = "float" }]
        time = { column = "timestamp:float", unit = "s" }
        """,
    ),
    Case(
        "recipes with lists as Python writes them",
        {
            "interactions.csv": 'user_id,recipe_id,date,rating,review\n38094,40893,2003-02-17,4,"Great with a salad. Cooked on top, quickly"\n1293707,40893,2011-12-21,5,So simple!\n8937,44394,2002-12-01,4,"Easy, ""quick"""\n126440,85009,2010-02-27,5,I made the dressing\n38094,85009,2010-03-27,3,Fine\n',
            "recipes.csv": "name,id,minutes,contributor_id,submitted,tags,n_steps\n\"arriba squash\",40893,55,47892,2005-09-16,\"['60-minutes-or-less', 'mexican']\",11\na bit pizza,44394,30,26278,2002-06-17,\"['30-minutes-or-less', 'meat']\",9\nall in the kitchen,85009,130,196586,2005-02-25,\"['time-to-make', 'course']\",6\n",
        },
        """
        [nodes.Item]
        file = "recipes.csv"
        id = "id"
        properties = ["name", { name = "minutes", type = "int" }, { name = "contributor_id", type = "int" }, "submitted", "tags", { name = "n_steps", type = "int" }]
        [edges.REVIEWED]
        file = "interactions.csv"
        from = "User:user_id"
        to = "Item:recipe_id"
        properties = [{ name = "rating", type = "float" }, "review"]
        time = { column = "date" }
        """,
    ),
    Case(
        "an unknown word for the item",
        {"ratings.dat": "User_ID\tAnime_ID\tFeedback\n1\t1\t8\n1\t3\t5\n2\t1\t9\n2\t4\t7\n"},
        """
        [edges.RATED]
        file = "ratings.dat"
        separator = "\\t"
        from = "User:User_ID"
        to = "Item:Anime_ID"
        properties = [{ name = "rating", column = "Feedback", type = "float" }]
        """,
    ),
    Case(
        "another unknown word, and a scale without a name",
        {
            "export_2024.csv": "member_no;zine_code;q7\n"
            + "".join(f"M{n % 9};Z{n % 5:03d};{1 + n * 7 % 5}\n" for n in range(24))
        },
        """
        [edges.RATED]
        file = "export_2024.csv"
        separator = ";"
        from = "User:member_no"
        to = "Item:zine_code"
        properties = [{ name = "rating", column = "q7", type = "float" }]
        """,
    ),
    Case(
        "decimal commas and German dates",
        {
            "r.csv": "userId;movieId;rating;date\n1;1;4,0;30.07.2000 18:45\n1;3;4,5;30.07.2000 18:20\n2;6;4,0;14.08.2001 18:37\n2;1;5,0;30.07.2000 19:03\n3;3;0,5;01.02.2003 08:00\n"
        },
        """
        [edges.RATED]
        file = "r.csv"
        separator = ";"
        decimal = ","
        from = "User:userId"
        to = "Item:movieId"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "date", format = "%d.%m.%Y %H:%M" }
        """,
    ),
    Case(
        "beer reviews with several aspects",
        {
            "beer_reviews.csv": "brewery_id,brewery_name,review_time,review_overall,review_aroma,review_profilename,beer_style,beer_name,beer_abv,beer_beerid\n10325,Vecchio,1234817823,1.5,2,stcules,Hefeweizen,Sausa Weizen,5,47986\n10325,Vecchio,1235915097,3,2.5,stcules,Strong Ale,Red Moon,6.2,48213\n1075,Caldera,1235916604,4,3,oline73,IPA,Hop Hash,7.5,52159\n1075,Caldera,1293735206,4.5,4,rick99,IPA,Hop Hash,7.5,52159\n10325,Vecchio,1294735206,3.5,3,rick99,Strong Ale,Red Moon,6.2,48213\n"
        },
        """
        [nodes.Item]
        file = "beer_reviews.csv"
        id = "beer_beerid"
        properties = [{ name = "brewery_id", type = "int" }, "brewery_name", "beer_style", "beer_name", { name = "beer_abv", type = "float" }]
        [edges.RATED]
        file = "beer_reviews.csv"
        from = "User:review_profilename"
        to = "Item:beer_beerid"
        properties = [{ name = "rating", column = "review_overall", type = "float" }, { name = "review_aroma", type = "float" }]
        time = { column = "review_time", unit = "s" }
        """,
    ),
    Case(
        "a missing rating written NULL, and friends",
        {
            "r.csv": "user_id,item_id,rating,timestamp\nu1,i1,4.0,1500000000\nu1,i2,2.0,1500000001\nu2,i1,5.0,1500000002\nu2,i3,NULL,1500000003\n",
            "f.csv": "user_id,friend_id\nu1,u2\nu2,u3\n",
        },
        """
        [edges.RATED]
        file = "r.csv"
        missing = ["", "NULL"]
        from = "User:user_id"
        to = "Item:item_id"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "timestamp", unit = "s" }
        [edges.FRIEND]
        file = "f.csv"
        from = "User:user_id"
        to = "User:friend_id"
        """,
    ),
    Case(
        "ids that pandas wrote as nan and None",
        {"views.csv": "user,item\n1,a\nnan,a\nNaN,b\nNULL,b\nNone,a\n2,a\n2,b\n"},
        """
        [edges.VIEWED]
        file = "views.csv"
        missing = ["", "nan", "NaN", "NULL", "None"]
        from = "User:user"
        to = "Item:item"
        """,
    ),
]
