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
