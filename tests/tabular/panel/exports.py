"""Exports and headers in other alphabets, also new to the rules when the cases were written."""

from . import Case

CASES = [
    Case(
        "payments of plans",
        {
            "payments.csv": "id,Created (UTC),Amount,Currency,Customer ID,Customer Email,Product ID,Product Name,Status\nch_00000000,2022-08-23 16:28,43.96,usd,cus_000007,a7@mail.org,prod_00003,Plan 3,Paid\nch_00000001,2022-09-14 05:25,43.48,usd,cus_000003,a3@mail.org,prod_00001,Plan 1,Paid\nch_00000002,2022-09-15 19:20,26.41,usd,cus_000009,a9@mail.org,prod_00001,Plan 1,Paid\nch_00000003,2022-04-06 13:17,25.1,usd,cus_000002,a2@mail.org,prod_00000,Plan 0,Paid\nch_00000004,2022-09-26 04:59,41.43,usd,cus_00000b,a11@mail.org,prod_00005,Plan 5,Paid\nch_00000005,2022-03-17 06:21,31.79,usd,cus_000006,a6@mail.org,prod_00003,Plan 3,Paid\nch_00000006,2022-11-09 22:59,38.25,usd,cus_00000a,a10@mail.org,prod_00001,Plan 1,Paid\nch_00000007,2022-10-28 23:58,5.68,usd,cus_000008,a8@mail.org,prod_00000,Plan 0,Paid\nch_00000008,2022-03-24 03:03,6.6,usd,cus_000003,a3@mail.org,prod_00004,Plan 4,Paid\nch_00000009,2022-03-12 16:23,40.01,usd,cus_000005,a5@mail.org,prod_00003,Plan 3,Paid\nch_0000000a,2022-10-16 12:08,42.91,usd,cus_000008,a8@mail.org,prod_00001,Plan 1,Paid\nch_0000000b,2022-11-04 15:57,18.24,usd,cus_000000,a0@mail.org,prod_00005,Plan 5,Paid\nch_0000000c,2022-04-03 00:09,25.58,usd,cus_000004,a4@mail.org,prod_00003,Plan 3,Paid\nch_0000000d,2022-10-01 02:11,49.81,usd,cus_000001,a1@mail.org,prod_00005,Plan 5,Paid\nch_0000000e,2022-06-07 15:24,19.19,usd,cus_000003,a3@mail.org,prod_00004,Plan 4,Paid\n",
        },
        r"""
        [nodes.User]
        file = "payments.csv"
        id = "Customer ID"
        properties = [{ name = "Customer_Email", column = "Customer Email" }]
        [nodes.Item]
        file = "payments.csv"
        id = "Product ID"
        properties = [{ name = "Product_Name", column = "Product Name" }]
        [edges.PURCHASED]
        file = "payments.csv"
        from = "User:Customer ID"
        to = "Item:Product ID"
        properties = [{ name = "Amount", type = "float" }]
        time = { column = "Created (UTC)", zone = "UTC" }
        """,
    ),
    Case(
        "receipts with a day, a time of day and a loyalty card",
        {
            "pos_receipts.csv": "receipt_no,date,time,card_id,sku,description,qty,unit_price\n5000,01.09.2022,11:12,LC00010,SKU016,Thing SKU016,3,21.8\n5000,14.07.2022,09:07,LC00006,SKU000,Thing SKU000,2,1.0\n5001,04.09.2022,10:18,LC00010,SKU014,Thing SKU014,3,19.2\n5001,20.10.2022,09:47,LC00008,SKU000,Thing SKU000,3,1.0\n5002,29.10.2022,10:19,LC00007,SKU011,Thing SKU011,1,15.3\n5002,10.07.2022,15:41,LC00000,SKU018,Thing SKU018,1,24.4\n5003,29.03.2022,10:21,LC00010,SKU010,Thing SKU010,3,14.0\n5003,05.08.2022,22:09,LC00000,SKU001,Thing SKU001,3,2.3\n5004,14.09.2022,16:47,LC00001,SKU013,Thing SKU013,2,17.9\n5004,13.04.2022,15:42,LC00006,SKU004,Thing SKU004,3,6.2\n5005,30.06.2022,08:21,LC00008,SKU005,Thing SKU005,3,7.5\n5005,20.03.2022,14:22,LC00002,SKU016,Thing SKU016,1,21.8\n5006,03.08.2022,21:44,LC00006,SKU019,Thing SKU019,2,25.7\n5006,02.09.2022,15:03,LC00006,SKU017,Thing SKU017,1,23.1\n5007,04.11.2022,01:51,LC00001,SKU006,Thing SKU006,3,8.8\n5007,10.06.2022,09:22,LC00005,SKU012,Thing SKU012,3,16.6\n5008,29.06.2022,04:59,LC00004,SKU007,Thing SKU007,2,10.1\n5008,20.07.2022,04:27,LC00008,SKU018,Thing SKU018,3,24.4\n5009,09.05.2022,22:18,LC00006,SKU013,Thing SKU013,1,17.9\n5009,18.09.2022,23:55,LC00003,SKU013,Thing SKU013,1,17.9\n5010,29.07.2022,09:11,LC00012,SKU019,Thing SKU019,1,25.7\n5010,18.12.2022,14:06,LC00003,SKU005,Thing SKU005,1,7.5\n5011,26.11.2022,07:52,LC00000,SKU013,Thing SKU013,2,17.9\n5011,10.09.2022,15:58,LC00009,SKU001,Thing SKU001,3,2.3\n5012,26.08.2022,00:51,LC00003,SKU010,Thing SKU010,2,14.0\n5012,24.08.2022,23:05,LC00011,SKU015,Thing SKU015,1,20.5\n5013,05.05.2022,11:34,LC00014,SKU017,Thing SKU017,2,23.1\n5013,10.05.2022,11:46,LC00012,SKU007,Thing SKU007,3,10.1\n5014,03.03.2022,04:18,LC00014,SKU010,Thing SKU010,1,14.0\n5014,02.06.2022,08:26,LC00008,SKU001,Thing SKU001,1,2.3\n5015,27.10.2022,01:44,LC00005,SKU017,Thing SKU017,3,23.1\n5015,30.04.2022,06:51,LC00014,SKU010,Thing SKU010,3,14.0\n5016,17.06.2022,07:44,LC00001,SKU007,Thing SKU007,3,10.1\n5016,12.09.2022,09:34,LC00007,SKU011,Thing SKU011,2,15.3\n5017,21.11.2022,18:07,LC00014,SKU005,Thing SKU005,2,7.5\n5017,22.06.2022,13:46,LC00013,SKU001,Thing SKU001,2,2.3\n5018,07.07.2022,01:45,LC00010,SKU014,Thing SKU014,3,19.2\n5018,23.05.2022,01:26,LC00004,SKU016,Thing SKU016,2,21.8\n5019,12.03.2022,08:46,LC00000,SKU000,Thing SKU000,1,1.0\n",
        },
        r"""
        [nodes.Item]
        sql = "select *, date || ' ' || time as date_time from pos_receipts"
        files = { pos_receipts = "pos_receipts.csv" }
        id = "sku"
        properties = ["description", { name = "unit_price", type = "float" }]
        [edges.PURCHASED]
        sql = "select *, date || ' ' || time as date_time from pos_receipts"
        files = { pos_receipts = "pos_receipts.csv" }
        from = "User:card_id"
        to = "Item:sku"
        time = { column = "date_time", format = "%d.%m.%Y %H:%M", zone = "UTC" }
        weight = "qty"
        """,
    ),
    Case(
        "lines of an ERP system with its own column names",
        {
            "ZSD_BILLING.csv": "VBELN;POSNR;FKDAT;KUNNR;MATNR;ARKTX;FKIMG;NETWR;WAERK\n0090000000;000010;20220411;0000100009;000000000000004016;Schraube 16;4,000;44,42;EUR\n0090000000;000020;20220622;0000100011;000000000000004002;Schraube 02;8,000;48,69;EUR\n0090000001;000010;20221121;0000100013;000000000000004012;Schraube 12;7,000;25,43;EUR\n0090000001;000020;20220526;0000100013;000000000000004010;Schraube 10;6,000;43,56;EUR\n0090000002;000010;20221101;0000100010;000000000000004016;Schraube 16;3,000;30,80;EUR\n0090000002;000020;20221114;0000100010;000000000000004008;Schraube 08;3,000;11,93;EUR\n0090000003;000010;20220328;0000100001;000000000000004019;Schraube 19;6,000;13,20;EUR\n0090000003;000020;20220615;0000100003;000000000000004012;Schraube 12;7,000;84,66;EUR\n0090000004;000010;20221022;0000100001;000000000000004003;Schraube 03;6,000;33,22;EUR\n0090000004;000020;20221216;0000100013;000000000000004015;Schraube 15;4,000;44,67;EUR\n0090000005;000010;20221029;0000100003;000000000000004015;Schraube 15;5,000;74,42;EUR\n0090000005;000020;20220409;0000100001;000000000000004002;Schraube 02;5,000;45,25;EUR\n0090000006;000010;20220311;0000100002;000000000000004013;Schraube 13;2,000;97,77;EUR\n0090000006;000020;20221014;0000100001;000000000000004013;Schraube 13;8,000;97,31;EUR\n0090000007;000010;20220924;0000100006;000000000000004014;Schraube 14;5,000;72,68;EUR\n",
        },
        r"""
        [nodes.Item]
        file = "ZSD_BILLING.csv"
        separator = ";"
        id = "MATNR"
        properties = ["ARKTX"]
        [edges.PURCHASED]
        file = "ZSD_BILLING.csv"
        separator = ";"
        decimal = ","
        from = "User:KUNNR"
        to = "Item:MATNR"
        properties = [{ name = "NETWR", type = "float" }]
        time = { column = "FKDAT", format = "%Y%m%d", zone = "UTC" }
        weight = "FKIMG"
        """,
    ),
    Case(
        "a header that only numbers the columns",
        {
            "data.csv": "c1,c2,c3,c4\n5,107,4,1657318760\n7,112,4,1667171283\n15,111,4,1656007214\n14,116,2,1654608946\n3,120,5,1668736020\n5,115,2,1654058512\n6,123,5,1663129777\n6,131,2,1670127519\n9,116,1,1657593369\n12,114,4,1664141638\n11,137,5,1663767119\n8,117,5,1669873811\n9,135,1,1655532560\n15,136,5,1650964980\n15,110,2,1653033123\n",
        },
        r"""
        [edges.RATED]
        file = "data.csv"
        skip = 1
        header = ["user", "item", "rating", "timestamp"]
        from = "User:user"
        to = "Item:item"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "timestamp", unit = "s" }
        """,
    ),
    Case(
        "reviews with a number of votes for each",
        {
            "goodreads_reviews_poetry.json": '{"user_id": "eccbc87e4b5ce2fe28308fd9f2a7baf3", "book_id": "2000", "review_id": "cc15cffe04b1b3f72e0f50e4ba28a09c", "rating": 4, "review_text": "I liked it0", "date_added": "Sun May 01 08:47:07 -0800 2022", "date_updated": "Wed Jun 01 19:10:30 -0800 2022", "read_at": "", "started_at": "", "n_votes": 0, "n_comments": 0}\n{"user_id": "cfcd208495d565ef66e7dff9f98764da", "book_id": "2004", "review_id": "7c92cf1eee8d99cc85f8355a3d6e4b86", "rating": 5, "review_text": "so so1", "date_added": "Thu Jun 02 02:18:26 -0800 2022", "date_updated": "Fri Apr 15 11:43:45 -0800 2022", "read_at": "", "started_at": "", "n_votes": 2, "n_comments": 0}\n{"user_id": "8f14e45fceea167a5a36dedd4bea2543", "book_id": "2011", "review_id": "d279186428a75016b17e4df5ea43d080", "rating": 2, "review_text": "so so2", "date_added": "Sat Jun 11 06:16:00 -0800 2022", "date_updated": "Tue Jul 12 17:28:51 -0800 2022", "read_at": "", "started_at": "", "n_votes": 1, "n_comments": 0}\n{"user_id": "aab3238922bcc25a6f606eb525ffdc56", "book_id": "2006", "review_id": "9d3e622df914d8de7f747b7b8b143c52", "rating": 2, "review_text": "so so3", "date_added": "Thu May 26 18:09:25 -0800 2022", "date_updated": "Mon Jun 27 16:45:25 -0800 2022", "read_at": "", "started_at": "", "n_votes": 4, "n_comments": 0}\n{"user_id": "1679091c5a880faf6fb5e6087eb1b2dc", "book_id": "2007", "review_id": "44379f2b1a5611f625592bbf6e596a47", "rating": 4, "review_text": "so so4", "date_added": "Thu Aug 11 01:31:18 -0800 2022", "date_updated": "Wed Sep 07 03:36:07 -0800 2022", "read_at": "", "started_at": "", "n_votes": 0, "n_comments": 0}\n{"user_id": "8f14e45fceea167a5a36dedd4bea2543", "book_id": "2018", "review_id": "ed84d589f231f3dc4203153e6fb4b4d5", "rating": 2, "review_text": "so so5", "date_added": "Sat Oct 08 05:12:11 -0800 2022", "date_updated": "Fri Jul 01 09:27:30 -0800 2022", "read_at": "", "started_at": "", "n_votes": 3, "n_comments": 0}\n{"user_id": "1679091c5a880faf6fb5e6087eb1b2dc", "book_id": "2002", "review_id": "c4a68dc959943caf76d5cb46c97201f2", "rating": 3, "review_text": "I liked it6", "date_added": "Mon May 16 00:09:17 -0800 2022", "date_updated": "Sun Apr 24 11:51:34 -0800 2022", "read_at": "", "started_at": "", "n_votes": 4, "n_comments": 0}\n{"user_id": "c81e728d9d4c2f636f067f89cc14862c", "book_id": "2019", "review_id": "3d8abfbb5128006d4295b1ab5fc70bad", "rating": 5, "review_text": "I liked it7", "date_added": "Mon Jun 20 07:27:55 -0800 2022", "date_updated": "Thu Sep 22 19:49:27 -0800 2022", "read_at": "", "started_at": "", "n_votes": 3, "n_comments": 0}\n{"user_id": "c81e728d9d4c2f636f067f89cc14862c", "book_id": "2003", "review_id": "90a071d6a73f529da5efeb75b4cec839", "rating": 0, "review_text": "so so8", "date_added": "Sat Mar 19 09:57:02 -0800 2022", "date_updated": "Tue Mar 29 13:53:35 -0800 2022", "read_at": "", "started_at": "", "n_votes": 3, "n_comments": 0}\n{"user_id": "6512bd43d9caa6e02c990b0a82652dca", "book_id": "2017", "review_id": "1e95ec65c03e06c5057a1659d1788dbd", "rating": 2, "review_text": "so so9", "date_added": "Sun Sep 11 23:30:22 -0800 2022", "date_updated": "Mon May 30 05:49:53 -0800 2022", "read_at": "", "started_at": "", "n_votes": 1, "n_comments": 0}\n{"user_id": "c9f0f895fb98ab9159f51fd0297e236d", "book_id": "2016", "review_id": "a2a1f63d98e3755f63fb60485a56c853", "rating": 2, "review_text": "I liked it10", "date_added": "Tue May 31 08:46:53 -0800 2022", "date_updated": "Wed Jun 29 10:29:21 -0800 2022", "read_at": "", "started_at": "", "n_votes": 2, "n_comments": 0}\n{"user_id": "c81e728d9d4c2f636f067f89cc14862c", "book_id": "2010", "review_id": "4678f5a997d3c42551331e04596491d3", "rating": 3, "review_text": "so so11", "date_added": "Sat Jul 09 13:24:02 -0800 2022", "date_updated": "Fri Aug 19 11:31:49 -0800 2022", "read_at": "", "started_at": "", "n_votes": 0, "n_comments": 0}\n{"user_id": "c20ad4d76fe97759aa27a0c99bff6710", "book_id": "2008", "review_id": "e249a6ebf27391725552f1d90f559f14", "rating": 3, "review_text": "I liked it12", "date_added": "Thu Apr 14 19:36:40 -0800 2022", "date_updated": "Fri Nov 18 16:25:31 -0800 2022", "read_at": "", "started_at": "", "n_votes": 3, "n_comments": 0}\n{"user_id": "1679091c5a880faf6fb5e6087eb1b2dc", "book_id": "2012", "review_id": "0839f88ae61efaa3e91fdf5b732b242f", "rating": 0, "review_text": "so so13", "date_added": "Tue Dec 13 19:36:36 -0800 2022", "date_updated": "Tue Apr 05 20:41:18 -0800 2022", "read_at": "", "started_at": "", "n_votes": 2, "n_comments": 0}\n{"user_id": "c4ca4238a0b923820dcc509a6f75849b", "book_id": "2001", "review_id": "2d337e4372792a35c557c24dc3144f62", "rating": 3, "review_text": "I liked it14", "date_added": "Wed Jun 08 01:17:32 -0800 2022", "date_updated": "Sun May 01 12:09:39 -0800 2022", "read_at": "", "started_at": "", "n_votes": 3, "n_comments": 0}\n{"user_id": "45c48cce2e2d7fbdea1afc51c7c6ad26", "book_id": "2015", "review_id": "003a63aa0b2e193ef81111bc8c0b56c3", "rating": 3, "review_text": "I liked it15", "date_added": "Sun Sep 11 07:13:17 -0800 2022", "date_updated": "Thu Mar 24 23:08:47 -0800 2022", "read_at": "", "started_at": "", "n_votes": 3, "n_comments": 0}\n',
        },
        r"""
        [edges.REVIEWED]
        file = "goodreads_reviews_poetry.json"
        from = "User:user_id"
        to = "Item:book_id"
        properties = [{ name = "rating", type = "float" }, "review_text", "date_updated", { name = "n_votes", type = "int" }]
        time = { column = "date_added", format = "%a %b %d %H:%M:%S %z %Y" }
        """,
    ),
    Case(
        "shop orders whose users are e-mail addresses",
        {
            "woocommerce-orders.csv": "Order Number,Order Status,Order Date,First Name (Billing),Email (Billing),City (Billing),SKU,Item #,Item Name,Quantity (- Refund),Item Cost\n900,Completed,2022-10-28 21:51,N4,u4@x.com,Rom,W-005,1,Tee 5,3,15.5\n900,Completed,2022-12-13 08:21,N10,u10@x.com,Rom,W-008,2,Tee 8,1,21.5\n901,Completed,2022-08-28 19:55,N3,u3@x.com,Ulm,W-000,1,Tee 0,1,5.5\n901,Completed,2022-04-13 23:09,N5,u5@x.com,Ulm,W-007,2,Tee 7,1,19.5\n902,Completed,2022-07-26 20:55,N8,u8@x.com,Rom,W-001,1,Tee 1,3,7.5\n902,Completed,2022-06-05 19:55,N0,u0@x.com,Rom,W-003,2,Tee 3,2,11.5\n903,Completed,2022-06-17 12:57,N2,u2@x.com,Rom,W-006,1,Tee 6,1,17.5\n903,Completed,2022-12-21 21:39,N1,u1@x.com,Ulm,W-002,2,Tee 2,3,9.5\n904,Completed,2022-10-26 19:04,N7,u7@x.com,Ulm,W-002,1,Tee 2,1,9.5\n904,Completed,2022-03-01 16:32,N0,u0@x.com,Rom,W-003,2,Tee 3,1,11.5\n905,Completed,2022-05-04 09:53,N2,u2@x.com,Rom,W-004,1,Tee 4,2,13.5\n905,Completed,2022-05-17 05:46,N8,u8@x.com,Rom,W-003,2,Tee 3,1,11.5\n906,Completed,2022-11-24 05:14,N3,u3@x.com,Ulm,W-006,1,Tee 6,2,17.5\n906,Completed,2022-03-09 09:02,N5,u5@x.com,Ulm,W-006,2,Tee 6,1,17.5\n907,Completed,2022-04-26 14:02,N4,u4@x.com,Rom,W-001,1,Tee 1,2,7.5\n907,Completed,2022-06-26 00:52,N9,u9@x.com,Ulm,W-009,2,Tee 9,1,23.5\n908,Completed,2022-10-18 10:55,N10,u10@x.com,Rom,W-005,1,Tee 5,1,15.5\n908,Completed,2022-06-29 09:01,N5,u5@x.com,Ulm,W-004,2,Tee 4,2,13.5\n909,Completed,2022-11-26 11:06,N5,u5@x.com,Ulm,W-002,1,Tee 2,2,9.5\n909,Completed,2022-08-31 12:22,N11,u11@x.com,Ulm,W-002,2,Tee 2,1,9.5\n910,Completed,2022-06-08 11:47,N0,u0@x.com,Rom,W-005,1,Tee 5,2,15.5\n910,Completed,2022-03-08 00:24,N8,u8@x.com,Rom,W-006,2,Tee 6,2,17.5\n911,Completed,2022-07-25 03:58,N9,u9@x.com,Ulm,W-000,1,Tee 0,2,5.5\n911,Completed,2022-03-19 03:31,N11,u11@x.com,Ulm,W-002,2,Tee 2,3,9.5\n912,Completed,2022-05-16 07:42,N1,u1@x.com,Ulm,W-003,1,Tee 3,2,11.5\n912,Completed,2022-07-12 17:52,N8,u8@x.com,Rom,W-005,2,Tee 5,3,15.5\n913,Completed,2022-06-06 10:30,N7,u7@x.com,Ulm,W-001,1,Tee 1,3,7.5\n913,Completed,2022-12-16 15:34,N5,u5@x.com,Ulm,W-004,2,Tee 4,1,13.5\n914,Completed,2022-08-16 03:38,N1,u1@x.com,Ulm,W-003,1,Tee 3,2,11.5\n914,Completed,2022-09-16 04:23,N9,u9@x.com,Ulm,W-005,2,Tee 5,1,15.5\n915,Completed,2022-07-11 00:39,N4,u4@x.com,Rom,W-008,1,Tee 8,1,21.5\n915,Completed,2022-06-30 08:14,N10,u10@x.com,Rom,W-005,2,Tee 5,2,15.5\n916,Completed,2022-05-08 22:12,N1,u1@x.com,Ulm,W-002,1,Tee 2,3,9.5\n916,Completed,2022-11-23 15:34,N4,u4@x.com,Rom,W-007,2,Tee 7,1,19.5\n917,Completed,2022-12-05 16:05,N0,u0@x.com,Rom,W-001,1,Tee 1,3,7.5\n917,Completed,2022-09-24 04:52,N6,u6@x.com,Rom,W-000,2,Tee 0,1,5.5\n918,Completed,2022-12-13 14:30,N9,u9@x.com,Ulm,W-005,1,Tee 5,2,15.5\n918,Completed,2022-08-24 23:06,N10,u10@x.com,Rom,W-006,2,Tee 6,1,17.5\n919,Completed,2022-03-22 15:13,N10,u10@x.com,Rom,W-000,1,Tee 0,2,5.5\n",
        },
        r"""
        [nodes.User]
        file = "woocommerce-orders.csv"
        id = "Email (Billing)"
        properties = [{ name = "First_Name_Billing", column = "First Name (Billing)" }, { name = "City_Billing", column = "City (Billing)" }]
        [nodes.Item]
        file = "woocommerce-orders.csv"
        id = "SKU"
        properties = [{ name = "Item_Name", column = "Item Name" }, { name = "Item_Cost", column = "Item Cost", type = "float" }]
        [edges.PURCHASED]
        file = "woocommerce-orders.csv"
        from = "User:Email (Billing)"
        to = "Item:SKU"
        properties = [{ name = "Item", column = "Item #", type = "int" }]
        time = { column = "Order Date", zone = "UTC" }
        weight = { name = "Quantity_Refund", column = "Quantity (- Refund)" }
        """,
    ),
    Case(
        "German loans with umlauts",
        {
            "Ausleihen_2023.csv": "Lesernummer;Mediennummer;Titel;Ausleihdatum;Rückgabedatum;Zweigstelle\n10009;M00000;Buch 0;14.08.2022;04.09.2022;Mitte\n10003;M00007;Buch 7;07.09.2022;16.06.2022;Mitte\n10000;M00008;Buch 8;07.09.2022;06.07.2022;Mitte\n10003;M00011;Buch 11;19.07.2022;18.03.2022;Nord\n10013;M00002;Buch 2;21.10.2022;16.07.2022;Nord\n10006;M00004;Buch 4;18.11.2022;10.06.2022;Nord\n10002;M00010;Buch 10;26.06.2022;13.11.2022;Nord\n10002;M00007;Buch 7;24.12.2022;01.06.2022;Nord\n10009;M00006;Buch 6;18.03.2022;13.10.2022;Mitte\n10003;M00002;Buch 2;15.05.2022;26.06.2022;Nord\n10012;M00014;Buch 14;02.06.2022;01.07.2022;Nord\n10006;M00007;Buch 7;26.03.2022;09.11.2022;Nord\n10013;M00008;Buch 8;30.04.2022;27.05.2022;Nord\n10003;M00000;Buch 0;13.03.2022;09.09.2022;Nord\n10013;M00009;Buch 9;11.11.2022;28.03.2022;Mitte\n",
        },
        r"""
        [nodes.Item]
        file = "Ausleihen_2023.csv"
        separator = ";"
        id = "Mediennummer"
        properties = ["Titel"]
        [edges.BORROWED]
        file = "Ausleihen_2023.csv"
        separator = ";"
        from = "User:Lesernummer"
        to = "Item:Mediennummer"
        properties = ["Rückgabedatum", "Zweigstelle"]
        time = { column = "Ausleihdatum", format = "%d.%m.%Y", zone = "UTC" }
        """,
    ),
    Case(
        "French purchases with accents",
        {
            "achats.csv": "N° client;Date d'achat;Référence produit;Désignation;Quantité;Prix unitaire\nCL0007;04/10/2022;REF-007;Chaise 7;4;12,97\nCL0008;15/10/2022;REF-003;Chaise 3;2;8,93\nCL0008;01/09/2022;REF-010;Chaise 10;2;15,90\nCL0001;21/08/2022;REF-004;Chaise 4;2;9,94\nCL0001;26/09/2022;REF-011;Chaise 11;1;16,91\nCL0009;01/08/2022;REF-007;Chaise 7;2;12,97\nCL0009;06/03/2022;REF-008;Chaise 8;1;13,98\nCL0000;14/03/2022;REF-003;Chaise 3;2;8,93\nCL0009;12/03/2022;REF-007;Chaise 7;3;12,97\nCL0007;16/10/2022;REF-003;Chaise 3;2;8,93\nCL0010;23/06/2022;REF-007;Chaise 7;1;12,97\nCL0010;03/04/2022;REF-007;Chaise 7;3;12,97\nCL0006;01/10/2022;REF-001;Chaise 1;3;6,91\nCL0005;20/12/2022;REF-003;Chaise 3;3;8,93\nCL0000;28/03/2022;REF-009;Chaise 9;1;14,99\nCL0006;11/04/2022;REF-004;Chaise 4;4;9,94\nCL0001;07/03/2022;REF-010;Chaise 10;1;15,90\nCL0003;21/05/2022;REF-000;Chaise 0;4;5,90\nCL0006;01/12/2022;REF-006;Chaise 6;4;11,96\nCL0001;06/10/2022;REF-010;Chaise 10;2;15,90\nCL0010;13/06/2022;REF-005;Chaise 5;1;10,95\nCL0004;08/07/2022;REF-000;Chaise 0;4;5,90\nCL0001;22/04/2022;REF-003;Chaise 3;1;8,93\nCL0000;24/03/2022;REF-007;Chaise 7;4;12,97\nCL0002;20/11/2022;REF-008;Chaise 8;2;13,98\nCL0007;14/09/2022;REF-003;Chaise 3;2;8,93\nCL0006;05/11/2022;REF-006;Chaise 6;1;11,96\nCL0006;11/08/2022;REF-003;Chaise 3;1;8,93\nCL0004;17/10/2022;REF-004;Chaise 4;1;9,94\nCL0003;12/05/2022;REF-006;Chaise 6;1;11,96\nCL0000;26/04/2022;REF-003;Chaise 3;4;8,93\nCL0004;04/03/2022;REF-009;Chaise 9;3;14,99\nCL0004;28/07/2022;REF-001;Chaise 1;1;6,91\nCL0001;21/05/2022;REF-009;Chaise 9;2;14,99\nCL0000;20/10/2022;REF-005;Chaise 5;3;10,95\nCL0009;24/08/2022;REF-002;Chaise 2;4;7,92\nCL0009;22/04/2022;REF-006;Chaise 6;2;11,96\nCL0010;29/04/2022;REF-004;Chaise 4;2;9,94\nCL0009;05/06/2022;REF-011;Chaise 11;2;16,91\n",
        },
        r"""
        [nodes.Item]
        file = "achats.csv"
        separator = ";"
        decimal = ","
        id = "Référence produit"
        properties = ["Désignation", { name = "Prix_unitaire", column = "Prix unitaire", type = "float" }]
        [edges.PURCHASED]
        file = "achats.csv"
        separator = ";"
        from = "User:N° client"
        to = "Item:Référence produit"
        time = { column = "Date d'achat", format = "%d/%m/%Y", zone = "UTC" }
        weight = "Quantité"
        """,
    ),
    Case(
        "Portuguese ratings",
        {
            "avaliacoes.csv": "id_usuario,id_filme,avaliação,data_avaliação\n7,8,5,14/11/2022 19:23\n5,4,4,05/03/2022 05:13\n5,15,3,05/11/2022 21:00\n12,14,5,28/05/2022 09:47\n8,0,5,26/04/2022 10:19\n7,11,2,10/07/2022 22:02\n14,6,1,10/10/2022 18:42\n13,6,1,16/09/2022 10:21\n10,10,4,03/04/2022 22:09\n0,1,5,26/05/2022 16:47\n1,13,4,13/04/2022 16:50\n10,13,2,26/09/2022 12:25\n5,19,5,03/05/2022 12:09\n11,1,5,06/05/2022 11:49\n8,2,4,22/10/2022 21:44\n",
        },
        r"""
        [edges.RATED]
        file = "avaliacoes.csv"
        from = "User:id_usuario"
        to = "Item:id_filme"
        properties = [{ name = "rating", column = "avaliação", type = "float" }]
        time = { column = "data_avaliação", format = "%d/%m/%Y %H:%M", zone = "UTC" }
        """,
    ),
    Case(
        "genres of films on one line each",
        {
            "movie_genres.txt": "m0 Noir Comedy War\nm1 Comedy War\nm2 War Drama Noir\nm3 Noir\nm4 Noir Comedy War\nm5 Noir Drama War\nm6 Comedy\nm7 Comedy\nm8 Drama War\nm9 Drama Comedy War\nm10 Noir\nm11 Comedy War Noir\nm12 War Drama Comedy\nm13 Drama War\nm14 Drama Comedy\nm15 Drama Comedy\nm16 Drama\nm17 Comedy Drama Noir\nm18 War\nm19 War\n",
            "ratings.csv": "user,movie,rating\nu3,m19,5\nu8,m17,2\nu4,m9,3\nu5,m5,3\nu1,m18,5\nu4,m10,1\nu0,m11,1\nu7,m8,4\nu10,m1,2\nu4,m8,1\nu11,m15,1\nu9,m18,5\nu10,m4,4\nu7,m18,4\nu2,m6,3\nu2,m3,2\nu0,m17,3\nu5,m10,1\nu2,m13,1\nu11,m9,3\nu10,m12,4\nu1,m17,1\nu8,m7,2\nu8,m8,5\nu2,m9,1\nu11,m15,5\nu6,m15,2\nu8,m13,5\nu10,m14,1\nu7,m6,2\nu7,m10,2\nu5,m19,1\nu11,m18,5\nu8,m13,1\nu5,m18,2\nu8,m7,5\nu5,m11,2\nu3,m9,4\nu5,m14,5\nu1,m16,1\nu8,m0,2\nu9,m17,2\nu7,m14,4\nu8,m4,5\nu8,m15,4\nu0,m9,3\nu2,m0,4\nu5,m10,2\nu0,m8,1\nu8,m0,1\nu1,m15,3\nu9,m6,1\nu0,m14,5\nu3,m0,4\nu1,m13,1\nu11,m17,1\nu3,m17,3\nu4,m11,3\nu8,m18,4\nu6,m0,5\n",
        },
        r"""
        [edges.IN_GENRE]
        file = "movie_genres.txt"
        separator = " "
        quote = ""
        shape = "basket"
        from = "Item:basket"
        to = "Genre:item"
        [edges.RATED]
        file = "ratings.csv"
        from = "User:user"
        to = "Item:movie"
        properties = [{ name = "rating", type = "float" }]
        """,
    ),
    Case(
        "enrolments by e-mail address and name of the course",
        {
            "enrolments.tsv": "User Email\tCourse Name\tEnrolled On\tProgress %\tCompleted\ns2@uni.edu\tIntro 1\t12 Nov 2022\t57\tNo\ns3@uni.edu\tIntro 3\t07 Sep 2022\t80\tNo\ns2@uni.edu\tIntro 7\t23 Jun 2022\t58\tNo\ns3@uni.edu\tIntro 4\t24 Nov 2022\t15\tNo\ns8@uni.edu\tIntro 2\t31 May 2022\t21\tYes\ns3@uni.edu\tIntro 5\t10 Oct 2022\t64\tYes\ns12@uni.edu\tIntro 7\t23 May 2022\t91\tNo\ns4@uni.edu\tIntro 0\t12 Jul 2022\t51\tYes\ns12@uni.edu\tIntro 6\t25 Sep 2022\t44\tNo\ns13@uni.edu\tIntro 4\t19 Oct 2022\t90\tNo\ns8@uni.edu\tIntro 1\t18 Jun 2022\t61\tYes\ns7@uni.edu\tIntro 2\t13 May 2022\t26\tNo\ns2@uni.edu\tIntro 6\t16 Sep 2022\t61\tYes\ns11@uni.edu\tIntro 3\t15 Oct 2022\t33\tNo\ns12@uni.edu\tIntro 8\t30 Aug 2022\t11\tNo\n",
        },
        r"""
        [edges.ENROLLED]
        file = "enrolments.tsv"
        from = "User:User Email"
        to = "Item:Course Name"
        properties = [{ name = "Progress", column = "Progress %", type = "int" }, "Completed"]
        time = { column = "Enrolled On", format = "%d %b %Y", zone = "UTC" }
        """,
    ),
    Case(
        "orders and two files of their lines",
        {
            "orders.csv": "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order\n1,3,prior,1,0,19,7.0\n2,3,prior,1,5,20,7.0\n3,2,prior,1,2,01,7.0\n4,10,prior,1,4,21,7.0\n5,1,prior,1,4,08,7.0\n6,7,prior,1,1,03,\n7,6,train,1,2,05,7.0\n8,5,prior,1,2,08,\n9,7,prior,1,2,17,\n10,7,train,1,4,09,7.0\n11,7,prior,1,2,18,7.0\n12,7,prior,1,2,18,7.0\n13,11,train,1,0,02,7.0\n14,6,prior,1,3,12,\n15,4,prior,1,3,00,\n16,8,prior,1,1,00,7.0\n17,6,prior,1,2,11,\n18,8,prior,1,0,17,\n19,11,prior,1,5,22,\n20,1,prior,1,3,03,\n21,10,train,1,0,03,7.0\n22,9,prior,1,4,09,7.0\n23,8,prior,1,5,22,7.0\n24,2,train,1,0,00,\n25,9,train,1,5,02,7.0\n26,2,prior,1,5,22,7.0\n27,5,prior,1,0,02,\n28,6,prior,1,1,17,7.0\n29,8,prior,1,1,00,7.0\n30,2,train,1,4,06,7.0\n31,6,prior,1,5,16,\n32,1,prior,1,3,19,\n33,4,prior,1,6,15,7.0\n34,1,train,1,3,08,\n35,4,prior,1,2,02,\n36,3,train,1,0,00,7.0\n37,3,train,1,0,15,\n38,5,prior,1,1,20,7.0\n39,11,prior,1,3,17,7.0\n40,3,train,1,2,08,\n",
            "order_products__prior.csv": "order_id,product_id,add_to_cart_order,reordered\n1,13,1,0\n1,6,2,1\n2,9,1,1\n2,7,2,1\n3,9,1,0\n3,12,2,1\n4,16,1,0\n4,18,2,0\n5,16,1,1\n5,11,2,0\n6,13,1,0\n6,6,2,0\n8,2,1,1\n8,11,2,0\n9,2,1,0\n9,7,2,1\n11,1,1,1\n11,1,2,0\n12,17,1,0\n12,3,2,0\n14,19,1,0\n14,6,2,1\n15,17,1,1\n15,11,2,1\n16,19,1,1\n16,11,2,0\n17,8,1,1\n17,10,2,0\n18,8,1,0\n18,2,2,0\n19,11,1,1\n19,1,2,1\n20,4,1,0\n20,15,2,1\n22,6,1,0\n22,16,2,1\n23,14,1,1\n23,12,2,0\n26,13,1,1\n26,8,2,0\n27,12,1,0\n27,15,2,1\n28,17,1,0\n28,3,2,0\n29,8,1,1\n29,18,2,0\n31,15,1,0\n31,9,2,0\n32,5,1,0\n32,18,2,1\n33,11,1,0\n33,17,2,1\n35,3,1,1\n35,7,2,1\n38,5,1,1\n38,14,2,0\n39,13,1,1\n39,15,2,1\n",
            "order_products__train.csv": "order_id,product_id,add_to_cart_order,reordered\n7,7,1,1\n7,1,2,0\n10,4,1,0\n10,15,2,0\n13,7,1,1\n13,9,2,0\n21,1,1,0\n21,19,2,1\n24,18,1,0\n24,19,2,0\n25,11,1,1\n25,15,2,0\n30,13,1,1\n30,18,2,1\n34,9,1,0\n34,8,2,0\n36,17,1,1\n36,10,2,0\n37,8,1,0\n37,12,2,1\n40,12,1,0\n40,19,2,0\n",
            "products.csv": "product_id,product_name,aisle_id,department_id\n1,Food 1,2,2\n2,Food 2,3,3\n3,Food 3,4,1\n4,Food 4,5,2\n5,Food 5,1,3\n6,Food 6,2,1\n7,Food 7,3,2\n8,Food 8,4,3\n9,Food 9,5,1\n10,Food 10,1,2\n11,Food 11,2,3\n12,Food 12,3,1\n13,Food 13,4,2\n14,Food 14,5,3\n15,Food 15,1,1\n16,Food 16,2,2\n17,Food 17,3,3\n18,Food 18,4,1\n19,Food 19,5,2\n",
            "aisles.csv": "aisle_id,aisle\n1,aisle 1\n2,aisle 2\n3,aisle 3\n4,aisle 4\n5,aisle 5\n",
            "departments.csv": "department_id,department\n1,dept 1\n2,dept 2\n3,dept 3\n",
        },
        r"""
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
        [nodes.Aisle]
        file = "aisles.csv"
        id = "aisle_id"
        properties = ["aisle"]
        [nodes.Department]
        file = "departments.csv"
        id = "department_id"
        properties = ["department"]
        [edges.PURCHASED]
        sql = "select order_products__prior.*, orders.user_id, orders.eval_set, orders.order_number, orders.order_dow, orders.order_hour_of_day, orders.days_since_prior_order from order_products__prior join orders on orders.order_id = order_products__prior.order_id"
        files = { order_products__prior = "order_products__*.csv", orders = "orders.csv" }
        from = "User:user_id"
        to = "Item:product_id"
        properties = [{ name = "order_id", type = "int" }, { name = "add_to_cart_order", type = "int" }, { name = "reordered", type = "int" }, "eval_set", { name = "order_dow", type = "int" }, "order_hour_of_day"]
        """,
    ),
]
