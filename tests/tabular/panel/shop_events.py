"""Events of shops: clicks, carts and sessions."""

from . import Case

CASES = [
    Case(
        "a log of events with UTC written out",
        {
            "2019-Oct.csv": "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
            + "2019-10-01 00:00:00 UTC,view,44600062,21038,,shiseido,35.79,541312140,72d7\n2019-10-01 00:00:01 UTC,cart,3900821,20530,appliances.water_heater,aqua,33.20,554748717,9333\n2019-10-01 00:00:09 UTC,purchase,3900821,20530,appliances.water_heater,aqua,33.20,554748717,9333\n2019-10-01 00:01:01 UTC,view,17200506,20537,furniture.sofa,,543.10,519107250,566a\n2019-10-01 00:01:05 UTC,view,3900821,20530,appliances.water_heater,aqua,33.20,541312140,72d7\n2019-10-01 00:02:05 UTC,remove_from_cart,17200506,20537,furniture.sofa,,543.10,519107250,566a\n2019-10-01 00:03:05 UTC,view,44600062,21038,,shiseido,35.79,519107250,566a\n",
        },
        """
        [nodes.Item]
        file = "2019-Oct.csv"
        id = "product_id"
        properties = ["category_code", { name = "price", type = "float" }]
        [edges.IN_CATEGORY]
        file = "2019-Oct.csv"
        from = "Item:product_id"
        to = "Category:category_id"
        [edges.BY_BRAND]
        file = "2019-Oct.csv"
        from = "Item:product_id"
        to = "Brand:brand"
        [edges.VIEWED]
        file = "2019-Oct.csv"
        where = { event_type = ["view"] }
        from = "User:user_id"
        to = "Item:product_id"
        properties = ["user_session"]
        time = { column = "event_time", format = "%Y-%m-%d %H:%M:%S UTC" }
        [edges.CARTED]
        file = "2019-Oct.csv"
        where = { event_type = ["cart"] }
        from = "User:user_id"
        to = "Item:product_id"
        properties = ["user_session"]
        time = { column = "event_time", format = "%Y-%m-%d %H:%M:%S UTC" }
        [edges.PURCHASED]
        file = "2019-Oct.csv"
        where = { event_type = ["purchase"] }
        from = "User:user_id"
        to = "Item:product_id"
        properties = ["user_session"]
        time = { column = "event_time", format = "%Y-%m-%d %H:%M:%S UTC" }
        [edges.REMOVED_FROM_CART]
        file = "2019-Oct.csv"
        where = { event_type = ["remove_from_cart"] }
        from = "User:user_id"
        to = "Item:product_id"
        properties = ["user_session"]
        time = { column = "event_time", format = "%Y-%m-%d %H:%M:%S UTC" }
        """,
    ),
    Case(
        "clicks in milliseconds with a category tree",
        {
            "events.csv": "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n1433224214164,992329,view,248676,\n1433221999827,111016,addtocart,318965,\n1433221955914,483717,transaction,355908,4000\n1433222276276,257597,transaction,248676,4001\n",
            "category_tree.csv": "categoryid,parentid\n1016,213\n809,169\n570,9\n1691,\n213,9\n",
        },
        """
        [edges.CHILD_OF]
        file = "category_tree.csv"
        from = "Category:categoryid"
        to = "Category:parentid"
        [edges.VIEWED]
        file = "events.csv"
        where = { event = ["view"] }
        from = "User:visitorid"
        to = "Item:itemid"
        time = { column = "timestamp", unit = "ms" }
        [edges.CARTED]
        file = "events.csv"
        where = { event = ["addtocart"] }
        from = "User:visitorid"
        to = "Item:itemid"
        time = { column = "timestamp", unit = "ms" }
        [edges.PURCHASED]
        file = "events.csv"
        where = { event = ["transaction"] }
        from = "User:visitorid"
        to = "Item:itemid"
        properties = [{ name = "transactionid", type = "int" }]
        time = { column = "timestamp", unit = "ms" }
        """,
    ),
    Case(
        "behaviour codes as words, no header",
        {
            "UserBehavior.csv": "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,pv,1511561733\n1,2576651,149192,buy,1511572885\n2,2268318,2520377,cart,1511593493\n2,4365585,2520377,fav,1511596146\n3,2576651,149192,pv,1511616481\n3,4365585,2520377,pv,1511616499\n4,2333346,2520771,pv,1511616500\n4,2268318,2520377,pv,1511616501\n"
        },
        """
        [edges.VIEWED]
        file = "UserBehavior.csv"
        where = { "#4" = ["pv"] }
        from = "User:#1"
        to = "Item:#2"
        time = { column = "#5", unit = "s" }
        [edges.PURCHASED]
        file = "UserBehavior.csv"
        where = { "#4" = ["buy"] }
        from = "User:#1"
        to = "Item:#2"
        time = { column = "#5", unit = "s" }
        [edges.CARTED]
        file = "UserBehavior.csv"
        where = { "#4" = ["cart"] }
        from = "User:#1"
        to = "Item:#2"
        time = { column = "#5", unit = "s" }
        [edges.LIKED]
        file = "UserBehavior.csv"
        where = { "#4" = ["fav"] }
        from = "User:#1"
        to = "Item:#2"
        time = { column = "#5", unit = "s" }
        [nodes.Item]
        file = "UserBehavior.csv"
        id = "#2"
        properties = [{ column = "#3", type = "int" }]
        """,
    ),
    Case(
        "purchases and carts by the names of files",
        {
            "purchase_ecommerce.dat": "visitorid\titemid\tevent\n1\t1\t1\n1\t16\t1\n2\t16\t1\n",
            "add_to_cart.dat": "visitorid\titemid\tevent\n1\t1\t1\n1\t16\t1\n2\t16\t1\n2\t17\t1\n",
        },
        """
        [edges.PURCHASED]
        file = "purchase_ecommerce.dat"
        separator = "\\t"
        from = "User:visitorid"
        to = "Item:itemid"
        [edges.CARTED]
        file = "add_to_cart.dat"
        separator = "\\t"
        from = "User:visitorid"
        to = "Item:itemid"
        """,
    ),
    Case(
        "sessions of clicks without users",
        {
            "yoochoose-clicks.dat": "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n1,2014-04-07T10:54:46.998Z,214536506,S\n2,2014-04-07T13:56:37.614Z,214662742,0\n2,2014-04-07T13:57:19.373Z,214536502,S\n"
        },
        """
        [edges.CLICKED]
        file = "yoochoose-clicks.dat"
        from = "User:#1"
        to = "Item:#3"
        properties = ["#4"]
        time = { column = "#2" }
        """,
    ),
    Case(
        "sessions with a header and a missing user",
        {
            "train-item-views.csv": "sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1031018;2016-05-09\n1;NA;32118;243569;2016-05-09\n2;15;9654;75848;2016-05-10\n2;15;81766;1112408;2016-05-10\n3;16;31331;12408;2016-05-11\n"
        },
        """
        [edges.VIEWED]
        file = "train-item-views.csv"
        separator = ";"
        missing = ["", "NA"]
        from = "User:userId"
        to = "Item:itemId"
        properties = [{ name = "sessionId", type = "int" }, { name = "timeframe", type = "int" }]
        time = { column = "eventdate" }
        """,
    ),
]
