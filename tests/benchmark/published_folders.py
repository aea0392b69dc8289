"""Tiny hand-made folders in the forms of the published splits; licences forbid copies of the real ones."""

from pathlib import Path

import numpy as np


def write(folder: Path, **files: str) -> Path:
    """The folder with these files; `_` before the ending stands for a dot: `train_txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="latin-1")
    return folder


def blocks(folder: Path, num_users: int = 60) -> Path:
    """Two blocks of 30 users and 30 items, a third of the cells in test, and ties within the blocks."""
    rng = np.random.default_rng(0)
    train, test, social = [], [], []
    for user in range(num_users):
        items = rng.permutation(np.arange(user % 2, num_users, 2))
        train.append(f"{user} {' '.join(map(str, items[:20]))}")
        test.append(f"{user} {' '.join(map(str, items[20:]))}")
        social.append(f"{user} {(user + 2) % num_users} {(user + 4) % num_users}")
    return write(folder, train_txt="\n".join(train), test_txt="\n".join(test), social_txt="\n".join(social))


def tmall(folder: Path) -> Path:
    """Three users, four items; user 0's test purchase (item 3) is among the views and the carts, user 1's the views."""
    return write(
        folder,
        buy_train_txt="0\t0\t1\n1\t1\n2\t0\n",
        buy_test_txt="0\t3\n1\t2\n2\t1\n",
        view_train_txt="0\t0\t1\t3\n1\t1\t2\t3\n2\t0\n",
        view_test_txt="0\t2\n",
        cart_train_txt="0\t3\n1\t1\n",
        cart_test_txt="1\t3\n",
    )


def retailrocket(folder: Path) -> Path:
    """Two users, three items with times; links between items with reverses, repeats and links to themselves."""
    return write(
        folder,
        train_view_csv="user,item,value\n0,0,100\n1,2,300\n",
        train_cart_csv="user,item,value\n0,0,110\n",
        train_buy_csv="user,item,value\n0,0,120\n1,1,90\n",
        test_csv="user,item,value\n0,2,1.0\n1,0,1.0\n",
        kg_txt="0 0 0\n0 0 2\n2 0 0\n0 1 4\n4 1 0\n0 0 2\n",
    )


def diffrec(folder: Path) -> Path:
    """Three users and five films, of which the last is in validation only."""
    return write(
        folder,
        train_csv="user,item\n0,0\n0,1\n1,2\n2,1\n",
        valid_csv="user,item\n0,2\n1,1\n1,4\n",
        test_csv="user,item\n0,3\n1,0\n",
    )


def gan(folder: Path) -> Path:
    """Two users and three films."""
    return write(folder, cfgan_train_txt="0 1 3.0\n1 0 1.0\n", cfgan_test_txt="0 2 5.0\n")


def ml_100k(folder: Path) -> Path:
    """Three people, two films, genres; one rating in the second part of the first fold."""
    film = "1|Toy Story (1995)|01-Jan-1995||http://x|0|1\n2|Caf\xe9 (1990)|01-Jan-1990||http://x|1|1\n"
    return write(
        folder,
        u1_base="1\t1\t5\t874965758\n2\t1\t3\t876893171\n3\t2\t1\t878542960\n",
        u1_test="1\t2\t4\t875071561\n",
        u_item=film,
        u_genre="Action|0\nComedy|1\n\n",
        u_user="1|24|M|technician|85711\n2|53|F|other|94043\n3|23|M|other|32067\n",
    )


def lastfm(folder: Path) -> Path:
    """Listeners 2, 5, 9 (1, 2, 3 in the split) and artists 51, 52, 60 (numbers 2, 1, 3 in the split).

    Listener 2's 30 plays of artist 60 are the test pair, with a tag. Artist 70 is in no split. The split writes the
    count 300000 as 3e+05.
    """
    return write(
        folder,
        lightgcn_data1_txt="1\t2\t10\n1\t1\t20\n2\t2\t11\n2\t3\t31\n3\t1\t3e+05\n3\t3\t32\n",
        lightgcn_test1_txt="1\t3\t30\n",
        lightgcn_trustnetwork_txt="1\t2\n2\t1\n2\t3\n3\t2\n",
        user_artists_dat="userID\tartistID\tweight\n2\t51\t10\n2\t52\t20\n2\t60\t30\n2\t70\t1\n5\t51\t11\n5\t60\t31\n"
        "9\t52\t300000\n9\t60\t32\n",
        user_taggedartists_dat="userID\tartistID\ttagID\tday\tmonth\tyear\n2\t51\t13\t1\t4\t2009\n2\t60\t13\t1\t4\t2009\n"
        "5\t60\t15\t1\t4\t2009\n5\t60\t15\t1\t5\t2009\n9\t70\t15\t1\t4\t2009\n",
    )


def ml_100k_ratings(folder: Path) -> Path:
    """`u.data` with user 7's five films in the times 50, 10, 20, 20, 30, and user 3's single film."""
    rows = ((7, 50, 5, 50), (3, 10, 4, 90), (7, 10, 3, 10), (7, 20, 1, 20), (7, 40, 2, 20), (7, 30, 5, 30))
    return write(folder, u_data="".join("\t".join(map(str, row)) + "\n" for row in rows))


def ml_latest_small(folder: Path) -> Path:
    """Users 1 and 5; the rated films 2, 10, 30, 31 and 32 have genres, an empty list of genres, or a title with quotes
    and a comma; film 99 has no rating. User 1 rates film 2 twice, the second row being the older."""
    rated = ((2, 0.5, 900), (10, 4.5, 300), (2, 3.0, 100), (30, 5.0, 400), (31, 5.0, 200), (32, 1.0, 200))
    ratings = "".join(f"1,{film},{rating},{time}\r\n" for film, rating, time in rated)
    films = '2,"Heat, ""Part"" (1995)",Action|Crime\r\n99,X (1999),Drama\r\n10,Y (1990),Crime|Crime\r\n'
    films += "30,A,(no genres listed)\r\n31,B,Action\r\n32,C,Western\r\n"
    return write(
        folder,
        ratings_csv=f"userId,movieId,rating,timestamp\r\n{ratings}5,10,3.5,50\r\n",
        movies_csv=f"movieId,title,genres\r\n{films}",
    )


def ml_1m(folder: Path) -> Path:
    """Ten pairs in the order of the ratings, and two sequences of five and six films in the order of time."""
    pairs = "".join(f"{user},{film}\n" for user in (1, 4) for film in (1193, 661, 914, 3408, 2355))
    return write(
        folder, pairs_in_ratings_dat_order_csv=f"user,movie\n{pairs}", sequences_txt="1 4 3 9 1 2\n2 9 1 2 4 7 3\n"
    )


def ciao(folder: Path) -> Path:
    """Users 10 to 13 review items 1 to 4 (item 4 with rating 0, and 10 reviews item 1 again, earlier).

    User 14 reviews two items, and so is outside the 3-core; without it item 5 has two users, and is outside too.
    User 13 trusts 10 and itself, 10 trusts 11 (twice) and 14, and 99 has no review.
    """
    head = "user,item,category,rating,helpfulness,time\n"
    rows = "".join(f"{user},{item},7,{item % 4},3,{1000 * item + user}\n" for user in range(10, 14)
                   for item in range(1, 5))  # fmt: skip
    extra = "10,1,7,5,3,500\n14,5,7,5,3,1\n14,1,7,5,3,2\n10,5,7,5,3,3\n11,5,7,5,3,9999\n"
    return write(
        folder, ratings_csv=head + rows + extra, trust_csv="user,trusts\n13,10\n13,13\n10,11\n10,11\n10,14\n99,10\n"
    )


def filmtrust(folder: Path) -> Path:
    """Users 2 and 8 with three films each and one rated twice; user 8 trusts 2 and user 50, who rates nothing."""
    return write(
        folder,
        ratings_txt="2 5 3.5\n2 6 4\n8 5 0.5\n8 6 1\n8 9 2\n2 9 4\n2 5 1\n",
        trust_txt="8 2 1\r\n8 50 1\r\n2 2 1\r\n",
    )


def steam(folder: Path) -> Path:
    """Two users, three games, one purchase in the file twice; an hour of play."""
    return write(
        folder,
        game_purchase_dat="User_ID\tGame_ID\tPurchase\n1\t1\t1.0\n1\t2\t1.0\n2\t2\t1.0\n1\t2\t1.0\n2\t1\t1.0\n2\t3\t1.0\n",
        game_play_dat="User_ID\tGame_ID\tHours\n1\t3\t2.0\n",
    )


def musical_instruments(folder: Path) -> Path:
    """Reviewer B with five items and reviewer A with two; the items are in the order 0003, 0001, … of the file."""
    rows = (("B", "0003", 40), ("A", "0001", 5), ("B", "0001", 30), ("B", "0002", 50), ("B", "0004", 50),
            ("B", "0005", 10), ("A", "0002", 4))  # fmt: skip
    lines = [
        f'{{"reviewerID": "{user}", "asin": "{item}", "reviewText": "a, \\"b\\"", "unixReviewTime": {time}}}\n'
        for user, item, time in rows
    ]
    return write(folder, Musical_Instruments_5_json="".join(lines))
