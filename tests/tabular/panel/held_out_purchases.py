"""Held-out cases of purchases: files that sniff was not developed with, to measure how well its rules generalise."""

from ..workbooks import xlsx
from . import Case

CASES = [
    Case(
        "a dump of a database with tabs and no header",
        {
            "purchases.tsv": "17\tSKU-001\t2\t2023-01-05 10:00:00\t\\N\n18\tSKU-002\t1\t2023-01-05 10:05:00\tgift\n17\tSKU-002\t1\t2023-01-06 12:00:00\t\\N\n19\tSKU-001\t5\t2023-01-07 09:30:00\t\\N\n"
        },
        """
        [edges.PURCHASED]
        file = "purchases.tsv"
        separator = "\\t"
        missing = ["", "\\\\N"]
        from = "User:#1"
        to = "Item:#2"
        weight = "#3"
        time = { column = "#4" }
        properties = ["#5"]
        """,
    ),
    Case(
        "items of each user as a list in JSON lines",
        {
            "carts.jsonl": '{"user": "u1", "items": ["i1", "i2", "i3"]}\n{"user": "u2", "items": ["i2"]}\n{"user": "u3", "items": ["i1", "i4"]}\n'
        },
        """
        [edges.CARTED]
        file = "carts.jsonl"
        from = "User:user"
        to = "Item:items"
        split = "[]"
        """,
    ),
    Case(
        "French sales with decimal commas and thin spaces",
        {
            "ventes.csv": "Client;Article;Quantité;Montant;Date\nC1;Chaise;2;1 250,00;05/01/2024\nC2;Table;1;980,50;17/01/2024\nC1;Lampe;3;90,00;23/02/2024\nC3;Chaise;1;625,00;28/02/2024\n"
        },
        """
        [edges.PURCHASED]
        file = "ventes.csv"
        separator = ";"
        decimal = ","
        thousands = " "
        from = "User:Client"
        to = "Item:Article"
        weight = { column = "Quantité" }
        properties = [{ name = "Montant", type = "float" }]
        time = { column = "Date", format = "%d/%m/%Y" }
        """,
    ),
    Case(
        "Spanish sales",
        {
            "ventas_2023.csv": "fecha,cliente,producto,cantidad,precio\n13/02/2023,Ana,Pan,2,1.5\n14/02/2023,Luis,Leche,1,0.9\n14/02/2023,Ana,Leche,3,0.9\n15/03/2023,Eva,Pan,1,1.6\n"
        },
        """
        [edges.PURCHASED]
        file = "ventas_2023.csv"
        from = "User:cliente"
        to = "Item:producto"
        weight = "cantidad"
        properties = [{ name = "precio", type = "float" }]
        time = { column = "fecha", format = "%d/%m/%Y" }
        """,
    ),
    Case(
        "a workbook with a title and two sheets of one form",
        {
            "retail.xlsx": xlsx(
                Y2009=[
                    ["Invoice", "StockCode", "Quantity", "Price", "Customer ID"],
                    ["489434", "85048", 12, 6.95, 13085],
                    ["489434", "79323P", 12, 6.75, 13085],
                    ["489435", "85048", 2, 6.95, 13078],
                ],
                Y2010=[
                    ["Invoice", "StockCode", "Quantity", "Price", "Customer ID"],
                    ["536365", "85048", 6, 6.95, 17850],
                    ["536366", "79323P", 6, 7.5, 13085],
                    ["536367", "22752", 6, 3.39, 17850],
                ],
            )
        },
        """
        [edges.PURCHASED]
        sql = ""
        files = { a = "retail.xlsx", b = "retail.xlsx" }
        from = "User:Customer ID"
        to = "Item:StockCode"
        weight = "Quantity"
        properties = [{ name = "Price", type = "float" }]
        """,
    ),
    Case(
        "customers, products and orders whose keys are all called id",
        {
            "customers.csv": "id,name,city\n11,Ann,Bonn\n12,Bo,Ulm\n13,Cy,Ulm\n",
            "products.csv": "id,name,price\n501,Mug,8.5\n502,Tea,4\n503,Pot,30\n",
            "orders.csv": "id,customer_id,product_id,qty,ordered_at\n1,11,501,2,2024-01-01\n2,12,501,1,2024-01-02\n3,11,502,1,2024-01-03\n4,13,503,1,2024-01-03\n",
        },
        """
        [nodes.User]
        file = "customers.csv"
        id = "id"
        properties = ["name", "city"]
        [nodes.Item]
        file = "products.csv"
        id = "id"
        properties = ["name", { name = "price", type = "float" }]
        [edges.PURCHASED]
        file = "orders.csv"
        from = "User:customer_id"
        to = "Item:product_id"
        weight = "qty"
        time = { column = "ordered_at" }
        """,
    ),
    Case(
        "a folder with views, purchases, users and items",
        {
            "shop/views.csv": "user_id,item_id,ts\nu1,i1,1600000000\nu2,i1,1600000100\nu1,i2,1600000200\n",
            "shop/purchases.csv": "user_id,item_id,ts\nu1,i1,1600000300\nu2,i2,1600000400\n",
            "shop/users.csv": "user_id,gender,age\nu1,F,31\nu2,M,45\nu3,F,19\n",
            "shop/items.csv": "item_id,title,category,price\ni1,Mug,Kitchen,8.5\ni2,Tea,Food,3\ni3,Pot,Kitchen,30\n",
            "shop/README.md": "# A shop\n",
        },
        """
        [nodes.User]
        file = "shop/users.csv"
        id = "user_id"
        properties = ["gender", { name = "age", type = "int" }]
        [nodes.Item]
        file = "shop/items.csv"
        id = "item_id"
        properties = ["title", { name = "price", type = "float" }]
        [edges.IN_CATEGORY]
        file = "shop/items.csv"
        from = "Item:item_id"
        to = "Category:category"
        [edges.VIEWED]
        file = "shop/views.csv"
        from = "User:user_id"
        to = "Item:item_id"
        time = { column = "ts", unit = "s" }
        [edges.PURCHASED]
        file = "shop/purchases.csv"
        from = "User:user_id"
        to = "Item:item_id"
        time = { column = "ts", unit = "s" }
        """,
        ("shop",),
    ),
    Case(
        "a matrix of ones without a name above the users",
        {"bought_matrix.csv": ",Mug,Tea,Pot,Cup,Jar,Tin\nu1,1,,,1,,\nu2,,1,,,,1\nu3,1,,1,,,\nu4,,,,1,1,\n"},
        """
        [edges.PURCHASED]
        file = "bought_matrix.csv"
        shape = "wide"
        from = "User:row"
        to = "Item:column"
        """,
    ),
    Case(
        "prices with a currency, and yes and no",
        {
            "orders.csv": 'order_id,customer,sku,price,gift,order_date\n1,c1,s1,$12.50,yes,2024-01-01\n2,c2,s1,$12.50,no,2024-01-02\n3,c1,s2,"$1,200.00",no,2024-01-03\n4,c3,s2,"$1,150.00",yes,2024-01-04\n'
        },
        """
        [edges.PURCHASED]
        file = "orders.csv"
        from = "User:customer"
        to = "Item:sku"
        properties = ["price", "gift"]
        time = { column = "order_date" }
        """,
    ),
    Case(
        "baskets without any id",
        {
            "groceries.csv": "citrus fruit,semi-finished bread,margarine\ntropical fruit,yogurt,coffee,margarine\nwhole milk\npip fruit,yogurt,cream cheese,meat spreads\nwhole milk,coffee\n"
        },
        """
        [edges.PURCHASED]
        file = "groceries.csv"
        shape = "basket"
        header = []
        from = "User:basket"
        to = "Item:item"
        """,
    ),
    Case(
        "two-digit years and a footer",
        {
            "sales.csv": "customer;item;units;day\nc1;i1;2;24.12.21 10:00\nc2;i1;1;31.12.21 11:30\nc1;i2;4;02.01.22 09:00\nTotal;;7;\n"
        },
        """
        [edges.PURCHASED]
        file = "sales.csv"
        separator = ";"
        from = "User:customer"
        to = "Item:item"
        weight = "units"
        time = { column = "day", format = "%d.%m.%y %H:%M" }
        """,
    ),
]
