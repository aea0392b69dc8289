"""Orders, invoices and baskets of shops."""

from . import Case

CASES = [
    Case(
        "invoice lines with item and customer data",
        {
            "online_retail.csv": "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom\n536366,71053,LANTERN,2,2010-12-01 08:27:00,3.39,,United Kingdom\n536370,22728,ALARM CLOCK,24,2010-12-01 08:45:00,3.75,12583.0,France\n536370,85123A,WHITE HEART,12,2010-12-01 08:45:00,2.95,12583.0,France\nC536379,85123A,WHITE HEART,-1,2010-12-01 09:41:00,2.95,12583.0,France\n"
        },
        """
        [nodes.User]
        file = "online_retail.csv"
        id = "CustomerID"
        properties = ["Country"]
        [nodes.Item]
        file = "online_retail.csv"
        id = "StockCode"
        properties = ["Description"]
        [edges.PURCHASED]
        file = "online_retail.csv"
        from = "User:CustomerID"
        to = "Item:StockCode"
        properties = [{ name = "UnitPrice", type = "float" }]
        weight = "Quantity"
        time = { column = "InvoiceDate" }
        ranges = { Quantity = [0, inf] }
        """,
    ),
    Case(
        "a sales table of a spreadsheet with American dates",
        {
            "superstore.csv": 'Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Product ID,Category,Sub-Category,Product Name,Sales,Quantity,Discount,Profit\n1,CA-152156,11/8/2016,11/11/2016,Second Class,CG-12520,Claire Gute,Consumer,FUR-BO-1798,Furniture,Bookcases,"Bush Bookcase, oak",261.96,2,0,41.9136\n2,CA-152156,11/8/2016,11/11/2016,Second Class,CG-12520,Claire Gute,Consumer,FUR-CH-454,Furniture,Chairs,Hon Chair,731.94,3,0,219.582\n3,CA-138688,6/12/2016,6/16/2016,Second Class,DV-13045,Darrin Van,Corporate,OFF-LA-240,Office Supplies,Labels,Address Labels,14.62,2,0,6.8714\n4,US-108966,10/13/2015,10/18/2015,Standard Class,CG-12520,Claire Gute,Consumer,OFF-LA-240,Office Supplies,Labels,Address Labels,11.7,2,0.2,1.2\n5,US-108967,10/30/2015,11/2/2015,Standard Class,DV-13045,Darrin Van,Corporate,FUR-CH-454,Furniture,Chairs,Hon Chair,488,2,0,100\n'
        },
        """
        [nodes.User]
        file = "superstore.csv"
        id = "Customer ID"
        properties = ["Customer Name", "Segment"]
        [nodes.Item]
        file = "superstore.csv"
        id = "Product ID"
        properties = ["Product Name"]
        [edges.IN_CATEGORY]
        file = "superstore.csv"
        from = "Item:Product ID"
        to = "Category:Category"
        [edges.IN_SUBCATEGORY]
        file = "superstore.csv"
        from = "Item:Product ID"
        to = "Subcategory:Sub-Category"
        [edges.PURCHASED]
        file = "superstore.csv"
        from = "User:Customer ID"
        to = "Item:Product ID"
        properties = ["Ship Date", "Ship Mode", { name = "Sales", type = "float" }, { name = "Discount", type = "float" }, { name = "Profit", type = "float" }]
        weight = "Quantity"
        time = { column = "Order Date", format = "%m/%d/%Y" }
        """,
    ),
    Case(
        "order headers, order lines, products, aisles",
        {
            "orders.csv": "order_id,user_id,order_number,order_dow,days_since_prior_order\n101,1,1,2,\n102,1,2,3,15.0\n103,2,1,3,\n104,2,2,4,21.0\n",
            "order_products.csv": "order_id,product_id,add_to_cart_order,reordered\n101,49302,1,0\n101,11109,2,0\n102,49302,1,1\n103,10246,1,0\n104,10246,1,1\n104,11109,2,0\n",
            "products.csv": "product_id,product_name,aisle_id,department_id\n49302,Bulgarian Yogurt,120,16\n11109,Cottage Cheese,108,16\n10246,Celery Hearts,83,4\n",
            "aisles.csv": "aisle_id,aisle\n83,fresh vegetables\n108,other creams cheeses\n120,yogurt\n",
        },
        """
        [nodes.Aisle]
        file = "aisles.csv"
        id = "aisle_id"
        properties = ["aisle"]
        [nodes.Item]
        file = "products.csv"
        id = "product_id"
        properties = ["product_name"]
        [edges.IN_AISLE]
        file = "products.csv"
        from = "Item:product_id"
        to = "Aisle:aisle_id"
        [edges.IN_DEPARTMENT]
        file = "products.csv"
        from = "Item:product_id"
        to = "Department:department_id"
        [edges.PURCHASED]
        sql = ""
        files = { order_products = "order_products.csv", orders = "orders.csv" }
        from = "User:user_id"
        to = "Item:product_id"
        properties = [{ name = "order_id", type = "int" }, { name = "add_to_cart_order", type = "int" }, { name = "reordered", type = "int" }, { name = "order_number", type = "int" }, { name = "order_dow", type = "int" }, { name = "days_since_prior_order", type = "float" }]
        """,
    ),
    Case(
        "three days of one form",
        {
            "day1.csv": "user,item,qty\nu1,i1,1\nu1,i2,2\n",
            "day2.csv": "user,item,qty\nu2,i2,1\nu2,i1,2\n",
            "day3.csv": "user,item,qty\nu3,i3,1\nu3,i2,2\n",
        },
        """
        [edges.PURCHASED]
        file = ["day1.csv", "day2.csv", "day3.csv"]
        from = "User:user"
        to = "Item:item"
        weight = "qty"
        """,
    ),
    Case(
        "fashion purchases with ids that begin with zero",
        {
            "transactions_train.csv": "t_dat,customer_id,article_id,price,sales_channel_id\n2018-09-20,00058a,0663713001,0.050830508,2\n2018-09-20,00058a,0541518023,0.030491525,2\n2018-09-21,00007d,0663713001,0.045237288,1\n2018-09-22,00007d,0505221004,0.015237288,2\n",
            "articles.csv": "article_id,prod_name,product_type_name,colour_group_name\n0663713001,Atlanta Push Body,Underwear body,Black\n0541518023,Rae Push,Bra,Light Pink\n0505221004,Inca Jumper,Sweater,Pink\n",
            "customers.csv": "customer_id,FN,club_member_status,age,postal_code\n00058a,,ACTIVE,49,52043\n00007d,1,ACTIVE,25,2973a\n",
        },
        """
        [nodes.User]
        file = "customers.csv"
        id = "customer_id"
        properties = [{ name = "FN", type = "int" }, "club_member_status", { name = "age", type = "int" }, "postal_code"]
        [nodes.Item]
        file = "articles.csv"
        id = "article_id"
        properties = ["prod_name", "product_type_name", "colour_group_name"]
        [edges.PURCHASED]
        file = "transactions_train.csv"
        from = "User:customer_id"
        to = "Item:article_id"
        properties = [{ name = "price", type = "float" }, { name = "sales_channel_id", type = "int" }]
        time = { column = "t_dat" }
        """,
    ),
    Case(
        "groceries with the item's name only",
        {
            "Groceries_dataset.csv": "Member_number,Date,itemDescription\n1808,21-07-2015,tropical fruit\n2552,05-01-2015,whole milk\n2300,19-09-2015,pip fruit\n1187,12-12-2015,other vegetables\n3037,01-02-2015,whole milk\n1808,14-02-2015,rolls/buns\n"
        },
        """
        [edges.PURCHASED]
        file = "Groceries_dataset.csv"
        from = "User:Member_number"
        to = "Item:itemDescription"
        time = { column = "Date", format = "%d-%m-%Y" }
        """,
    ),
    Case(
        "a German export with headings and a title",
        {
            "Bestellungen.csv": "Bestellungen 2024;;;;;\n\nKundennr;Artikelnr;Bezeichnung;Menge;Preis;Bestelldatum\nK100;A-1;Stuhl;2;1.299,00;03.01.2024\nK100;A-2;Tisch, rund;1;2.450,50;03.01.2024\nK101;A-1;Stuhl;4;1.299,00;17.02.2024\nK102;A-3;Bücherregal;1;899,95;28.02.2024\nK102;A-2;Tisch, rund;1;2.399,00;28.02.2024\n".encode(
                "cp1252"
            )
        },
        """
        [nodes.Item]
        file = "Bestellungen.csv"
        separator = ";"
        encoding = "cp1252"
        skip = 2
        id = "Artikelnr"
        properties = ["Bezeichnung"]
        [edges.PURCHASED]
        file = "Bestellungen.csv"
        separator = ";"
        encoding = "cp1252"
        skip = 2
        decimal = ","
        thousands = "."
        from = "User:Kundennr"
        to = "Item:Artikelnr"
        properties = [{ name = "Preis", type = "float" }]
        weight = "Menge"
        time = { column = "Bestelldatum", format = "%d.%m.%Y" }
        """,
    ),
    Case(
        "household baskets with days as numbers",
        {
            "transaction_data.csv": "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID\n2375,26984851472,1,1004906,1,1.39,364\n2375,26984851472,1,1033142,1,0.82,364\n1364,26984896261,3,1004906,2,2.78,31742\n1364,26984896261,3,842930,1,2.19,31742\n",
            "product.csv": "PRODUCT_ID,MANUFACTURER,DEPARTMENT,BRAND,COMMODITY_DESC\n842930,2,GROCERY,National,FRZN ICE\n1004906,69,PRODUCE,Private,POTATOES\n1033142,2,PRODUCE,National,ONIONS\n",
        },
        """
        [nodes.Item]
        file = "product.csv"
        id = "PRODUCT_ID"
        properties = ["COMMODITY_DESC"]
        [edges.MADE_BY]
        file = "product.csv"
        from = "Item:PRODUCT_ID"
        to = "Manufacturer:MANUFACTURER"
        [edges.IN_DEPARTMENT]
        file = "product.csv"
        from = "Item:PRODUCT_ID"
        to = "Department:DEPARTMENT"
        [edges.BY_BRAND]
        file = "product.csv"
        from = "Item:PRODUCT_ID"
        to = "Brand:BRAND"
        [edges.PURCHASED]
        file = "transaction_data.csv"
        from = "User:household_key"
        to = "Item:PRODUCT_ID"
        properties = [{ name = "DAY", type = "int" }, { name = "SALES_VALUE", type = "float" }, { name = "STORE_ID", type = "int" }]
        weight = "QUANTITY"
        """,
    ),
    Case(
        "orders, order lines and customers whose columns are called otherwise",
        {
            "bestellung.csv": "id,kunde_id,datum,status\n1,17,2024-03-01,bezahlt\n2,18,2024-03-02,offen\n3,17,2024-03-05,bezahlt\n",
            "bestellposition.csv": "bestellung_id,artikel_id,menge,preis\n1,900,1,19.90\n1,901,2,5.00\n2,900,1,18.90\n3,902,1,7.50\n3,901,4,5.00\n",
        },
        """
        [edges.PURCHASED]
        sql = ""
        files = { bestellposition = "bestellposition.csv", bestellung = "bestellung.csv" }
        from = "User:kunde_id"
        to = "Item:artikel_id"
        properties = [{ name = "preis", type = "float" }, "status"]
        weight = "menge"
        time = { column = "datum" }
        """,
    ),
    Case(
        "an export of a shop system, a line per item",
        {
            "orders_export_1.csv": 'Name,Email,Financial Status,Paid at,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n#1001,ann@shop.example,paid,2024-01-05 10:21:33 -0500,USD,2024-01-05 10:21:30 -0500,1,"Mug, blue",12.00,MUG-B\n#1001,ann@shop.example,,,,2024-01-05 10:21:30 -0500,2,Tea tin,8.50,TEA\n#1002,bob@shop.example,paid,2024-01-06 09:00:00 -0500,USD,2024-01-06 08:59:30 -0500,1,"Mug, blue",12.00,MUG-B\n#1003,ann@shop.example,refunded,2024-02-06 09:00:00 -0500,USD,2024-02-06 08:59:30 -0500,1,Tea tin,9.00,TEA\n'
        },
        """
        [nodes.Item]
        file = "orders_export_1.csv"
        id = "Lineitem sku"
        properties = ["Lineitem name"]
        [edges.PURCHASED]
        file = "orders_export_1.csv"
        from = "User:Email"
        to = "Item:Lineitem sku"
        properties = ["Name", "Financial Status", "Paid at", "Currency", { column = "Lineitem price", type = "float" }]
        weight = { column = "Lineitem quantity" }
        time = { column = "Created at", format = "%Y-%m-%d %H:%M:%S %z" }
        """,
    ),
    Case(
        "lines of a basket",
        {"baskets.csv": "c1,milk,bread\nc2,milk\nc3,beer,bread,cheese,milk\nc4,beer\n"},
        """
        [edges.CARTED]
        file = "baskets.csv"
        shape = "basket"
        from = "User:basket"
        to = "Item:item"
        """,
    ),
    Case(
        "orders in JSON, an array within an object, with nested customers",
        {
            "orders.json": '{"count": 3, "orders": [{"id": 1, "customer": {"id": "c1", "city": "Bonn"}, "sku": "s1", "qty": 2, "created_at": "2024-05-01T10:00:00Z"}, {"id": 2, "customer": {"id": "c2", "city": "Ulm"}, "sku": "s1", "qty": 1, "created_at": "2024-05-02T10:00:00Z"}, {"id": 3, "customer": {"id": "c1", "city": "Bonn"}, "sku": "s2", "qty": 5, "created_at": "2024-05-03T10:00:00Z"}]}'
        },
        """
        [nodes.User]
        file = "orders.json"
        format = "json"
        records = "/orders"
        id = "/customer/id"
        properties = [{ column = "/customer/city" }]
        [edges.PURCHASED]
        file = "orders.json"
        format = "json"
        records = "/orders"
        from = "User:/customer/id"
        to = "Item:sku"
        weight = "qty"
        time = { column = "created_at" }
        """,
    ),
]
