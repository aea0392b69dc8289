"""Logs of events: formats that were new to the rules when the cases were written."""

from . import Case

CASES = [
    Case(
        "sessions with lists of events in JSON lines",
        {
            "train.jsonl": '{"session": 0, "events": [{"aid": 37, "ts": 1659377845210, "type": "clicks"}, {"aid": 23, "ts": 1659385856775, "type": "orders"}]}\n{"session": 1, "events": [{"aid": 4, "ts": 1659386082193, "type": "clicks"}, {"aid": 30, "ts": 1659339609906, "type": "clicks"}, {"aid": 12, "ts": 1659401053980, "type": "orders"}, {"aid": 34, "ts": 1659378570246, "type": "orders"}, {"aid": 25, "ts": 1659390574273, "type": "clicks"}]}\n{"session": 2, "events": [{"aid": 40, "ts": 1659325150410, "type": "orders"}, {"aid": 47, "ts": 1659306832960, "type": "clicks"}]}\n{"session": 3, "events": [{"aid": 48, "ts": 1659384136043, "type": "clicks"}, {"aid": 19, "ts": 1659308962326, "type": "carts"}]}\n{"session": 4, "events": [{"aid": 38, "ts": 1659401278913, "type": "orders"}, {"aid": 45, "ts": 1659362102230, "type": "orders"}, {"aid": 46, "ts": 1659382231504, "type": "orders"}, {"aid": 8, "ts": 1659353859218, "type": "clicks"}]}\n{"session": 5, "events": [{"aid": 8, "ts": 1659371222127, "type": "clicks"}]}\n{"session": 6, "events": [{"aid": 43, "ts": 1659363340654, "type": "carts"}, {"aid": 26, "ts": 1659372881000, "type": "orders"}, {"aid": 36, "ts": 1659351898408, "type": "orders"}]}\n{"session": 7, "events": [{"aid": 14, "ts": 1659349999834, "type": "clicks"}, {"aid": 17, "ts": 1659386111680, "type": "clicks"}, {"aid": 44, "ts": 1659348607362, "type": "clicks"}, {"aid": 45, "ts": 1659392781222, "type": "clicks"}, {"aid": 40, "ts": 1659381778209, "type": "carts"}]}\n{"session": 8, "events": [{"aid": 7, "ts": 1659313317534, "type": "orders"}, {"aid": 40, "ts": 1659369695444, "type": "clicks"}, {"aid": 22, "ts": 1659313740513, "type": "orders"}]}\n{"session": 9, "events": [{"aid": 1, "ts": 1659344245415, "type": "orders"}, {"aid": 49, "ts": 1659360526838, "type": "clicks"}]}\n{"session": 10, "events": [{"aid": 38, "ts": 1659387281159, "type": "clicks"}]}\n{"session": 11, "events": [{"aid": 45, "ts": 1659383501933, "type": "carts"}, {"aid": 35, "ts": 1659342256610, "type": "clicks"}, {"aid": 2, "ts": 1659346363211, "type": "clicks"}, {"aid": 4, "ts": 1659319311527, "type": "clicks"}]}\n{"session": 12, "events": [{"aid": 26, "ts": 1659343939553, "type": "carts"}, {"aid": 9, "ts": 1659397374406, "type": "clicks"}]}\n{"session": 13, "events": [{"aid": 20, "ts": 1659353144767, "type": "clicks"}, {"aid": 24, "ts": 1659355366692, "type": "orders"}, {"aid": 33, "ts": 1659356633939, "type": "clicks"}]}\n{"session": 14, "events": [{"aid": 32, "ts": 1659341213354, "type": "orders"}, {"aid": 40, "ts": 1659401478539, "type": "clicks"}, {"aid": 19, "ts": 1659363512975, "type": "carts"}, {"aid": 33, "ts": 1659345467050, "type": "carts"}, {"aid": 0, "ts": 1659360528588, "type": "carts"}]}\n{"session": 15, "events": [{"aid": 24, "ts": 1659387451000, "type": "clicks"}]}\n',
        },
        r"""
        [edges.CARTED]
        sql = "select * from (select \"session\" as \"session\", part ->> '$.\"aid\"' as \"aid\", part ->> '$.\"ts\"' as \"ts\", part ->> '$.\"type\"' as \"type\" from (select *, unnest(from_json(\"events\", '[\"JSON\"]')) as part from f_train)) as chosen where cast(type as varchar(1000)) in ('carts')"
        files = { f_train = "train.jsonl" }
        from = "User:session"
        to = "Item:aid"
        time = { column = "ts", unit = "ms" }
        [edges.CLICKED]
        sql = "select * from (select \"session\" as \"session\", part ->> '$.\"aid\"' as \"aid\", part ->> '$.\"ts\"' as \"ts\", part ->> '$.\"type\"' as \"type\" from (select *, unnest(from_json(\"events\", '[\"JSON\"]')) as part from f_train)) as chosen where cast(type as varchar(1000)) in ('clicks')"
        files = { f_train = "train.jsonl" }
        from = "User:session"
        to = "Item:aid"
        time = { column = "ts", unit = "ms" }
        [edges.PURCHASED]
        sql = "select * from (select \"session\" as \"session\", part ->> '$.\"aid\"' as \"aid\", part ->> '$.\"ts\"' as \"ts\", part ->> '$.\"type\"' as \"type\" from (select *, unnest(from_json(\"events\", '[\"JSON\"]')) as part from f_train)) as chosen where cast(type as varchar(1000)) in ('orders')"
        files = { f_train = "train.jsonl" }
        from = "User:session"
        to = "Item:aid"
        time = { column = "ts", unit = "ms" }
        """,
    ),
    Case(
        "plays, songs and members whose key no word says",
        {
            "train.csv": "msno,song_id,source_system_tab,source_screen_name,source_type,target\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,HLdje2lXrF1vbN7HRVVK/TzRU3u256jnTUHC6li4npc=,my library,Explore,local-library,0\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,explore,Explore,local-library,1\nTgdAhWK+24tgzgXB3s/jrRa3IjCWfeAfZAt+Rym0n84=,/1Ichkj9f4d3APgjb528RrD16TAYTmIP2Emayye8V2I=,explore,Explore,online-playlist,0\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,HLdje2lXrF1vbN7HRVVK/TzRU3u256jnTUHC6li4npc=,explore,Local playlist more,online-playlist,0\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Explore,online-playlist,0\nX+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=,cedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,explore,Explore,online-playlist,1\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,cedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,explore,Explore,online-playlist,1\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,7BjqyNdYseulLTwQ05rcbdmAZHLLSuBpY104PZCGpRM=,my library,Local playlist more,online-playlist,0\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,rTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q=,my library,Local playlist more,online-playlist,1\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,my library,Local playlist more,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,QLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,my library,Explore,online-playlist,1\nX+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=,EBZsBLqcS2Q3Cr+qD2B03wMIKJtQibS1iSSOGRjAl4k=,my library,Local playlist more,online-playlist,1\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,/1Ichkj9f4d3APgjb528RrD16TAYTmIP2Emayye8V2I=,explore,Local playlist more,online-playlist,0\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,cedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,explore,Explore,local-library,1\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,my library,Local playlist more,online-playlist,1\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,my library,Explore,online-playlist,1\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Explore,local-library,1\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,uA+auRVJYtwnLiizknqodIwp9kAV0TFrHy3ntUk4LY4=,explore,Local playlist more,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,rTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q=,explore,Local playlist more,local-library,0\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,explore,Local playlist more,online-playlist,0\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Local playlist more,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,explore,Local playlist more,local-library,0\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,EBZsBLqcS2Q3Cr+qD2B03wMIKJtQibS1iSSOGRjAl4k=,explore,Local playlist more,online-playlist,0\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,explore,Explore,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,jDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,explore,Local playlist more,local-library,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,HLdje2lXrF1vbN7HRVVK/TzRU3u256jnTUHC6li4npc=,my library,Local playlist more,local-library,0\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,/1Ichkj9f4d3APgjb528RrD16TAYTmIP2Emayye8V2I=,explore,Local playlist more,local-library,0\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,QLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,my library,Local playlist more,online-playlist,1\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,gC+D+o5df3QETNn56YsT16ynhfCaIB6irzFXgk+oTFY=,explore,Local playlist more,local-library,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,HLdje2lXrF1vbN7HRVVK/TzRU3u256jnTUHC6li4npc=,my library,Local playlist more,online-playlist,0\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,uA+auRVJYtwnLiizknqodIwp9kAV0TFrHy3ntUk4LY4=,my library,Local playlist more,local-library,1\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,hafvrpR1TgqpIYtA74heKvRpqOO4etw97TQWg3vjoC0=,my library,Local playlist more,local-library,1\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,HXqszdIDFHLCXYxNdXhkBY8ngsZtWeMVvUu0wwAvb5o=,my library,Explore,local-library,1\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,hafvrpR1TgqpIYtA74heKvRpqOO4etw97TQWg3vjoC0=,explore,Explore,online-playlist,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,explore,Local playlist more,online-playlist,1\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Explore,online-playlist,0\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,jDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,explore,Explore,online-playlist,0\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,E9KP7ZvsvmY372sBf77+9zsrkH4l6wA5b3wmdWI+h/Y=,explore,Explore,online-playlist,0\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,O5b8Bk+odKgKEyvaYL6/VO+8eAo1j9yuT7vX4StmtjA=,my library,Explore,online-playlist,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,my library,Explore,online-playlist,0\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,explore,Local playlist more,local-library,1\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,QSQrn65W+tTm533+M8sY0cP8WD+YjPJe+fLZvg1EC7s=,my library,Explore,local-library,0\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,uA+auRVJYtwnLiizknqodIwp9kAV0TFrHy3ntUk4LY4=,my library,Local playlist more,local-library,0\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,HXqszdIDFHLCXYxNdXhkBY8ngsZtWeMVvUu0wwAvb5o=,my library,Local playlist more,online-playlist,0\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,/1Ichkj9f4d3APgjb528RrD16TAYTmIP2Emayye8V2I=,my library,Explore,online-playlist,0\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,7FnfwvGnzA1QhnAdQ483vHrAd1ufqYEc0vUN9xD5EhE=,explore,Local playlist more,online-playlist,1\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,explore,Local playlist more,local-library,1\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,E9KP7ZvsvmY372sBf77+9zsrkH4l6wA5b3wmdWI+h/Y=,my library,Local playlist more,local-library,1\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,O5b8Bk+odKgKEyvaYL6/VO+8eAo1j9yuT7vX4StmtjA=,my library,Local playlist more,local-library,1\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,7BjqyNdYseulLTwQ05rcbdmAZHLLSuBpY104PZCGpRM=,my library,Local playlist more,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,QLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,explore,Explore,local-library,0\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,explore,Local playlist more,online-playlist,1\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,uA+auRVJYtwnLiizknqodIwp9kAV0TFrHy3ntUk4LY4=,my library,Explore,local-library,0\nTgdAhWK+24tgzgXB3s/jrRa3IjCWfeAfZAt+Rym0n84=,QLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,my library,Explore,local-library,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Explore,online-playlist,0\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,my library,Local playlist more,online-playlist,1\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,explore,Explore,online-playlist,1\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,jDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,explore,Explore,online-playlist,1\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Local playlist more,local-library,1\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,EBZsBLqcS2Q3Cr+qD2B03wMIKJtQibS1iSSOGRjAl4k=,explore,Local playlist more,local-library,0\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,7BjqyNdYseulLTwQ05rcbdmAZHLLSuBpY104PZCGpRM=,my library,Local playlist more,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,O5b8Bk+odKgKEyvaYL6/VO+8eAo1j9yuT7vX4StmtjA=,my library,Local playlist more,local-library,0\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,gC+D+o5df3QETNn56YsT16ynhfCaIB6irzFXgk+oTFY=,explore,Explore,online-playlist,1\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,rTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q=,explore,Local playlist more,local-library,0\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,9Pez1+Hc3LYdeJTc6H0iF/vxBx5EAsjyjjdl8jnjl7E=,my library,Explore,online-playlist,0\nTgdAhWK+24tgzgXB3s/jrRa3IjCWfeAfZAt+Rym0n84=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,explore,Explore,local-library,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,O5b8Bk+odKgKEyvaYL6/VO+8eAo1j9yuT7vX4StmtjA=,explore,Local playlist more,online-playlist,0\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,cedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,explore,Explore,local-library,0\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,explore,Local playlist more,online-playlist,0\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,rTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q=,my library,Local playlist more,local-library,1\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,explore,Explore,local-library,0\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,yfm0Neoo4IUIqM3ldZK8HEMKbq/E/c3QyYHU5YIBBG4=,my library,Explore,local-library,0\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,E9KP7ZvsvmY372sBf77+9zsrkH4l6wA5b3wmdWI+h/Y=,my library,Local playlist more,online-playlist,0\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,jDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,my library,Explore,online-playlist,0\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,00vutwzdzB+XOrRopPdGdVcGWi/BucEY5ygDWyXTivA=,explore,Explore,online-playlist,0\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Explore,local-library,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,00vutwzdzB+XOrRopPdGdVcGWi/BucEY5ygDWyXTivA=,explore,Explore,local-library,0\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,HXqszdIDFHLCXYxNdXhkBY8ngsZtWeMVvUu0wwAvb5o=,explore,Explore,online-playlist,1\nTgdAhWK+24tgzgXB3s/jrRa3IjCWfeAfZAt+Rym0n84=,W4QBV+foau87P9D8JPOt000+fyEDcNQpR17RvNPn/KI=,my library,Local playlist more,online-playlist,1\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,my library,Local playlist more,local-library,0\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,my library,Local playlist more,local-library,0\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,gC+D+o5df3QETNn56YsT16ynhfCaIB6irzFXgk+oTFY=,explore,Explore,local-library,0\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,explore,Explore,online-playlist,0\nX+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=,QLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,my library,Local playlist more,online-playlist,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,my library,Local playlist more,local-library,1\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,cedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,explore,Explore,online-playlist,1\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,QLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,explore,Local playlist more,online-playlist,1\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,7v79K0LuRotG2kWX5o/W9p2JsMrsoFypa1AUq+9rXN0=,my library,Explore,online-playlist,1\nX+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=,Vo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,my library,Local playlist more,online-playlist,0\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,jDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,my library,Explore,online-playlist,1\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,jDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,explore,Explore,online-playlist,0\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,7BjqyNdYseulLTwQ05rcbdmAZHLLSuBpY104PZCGpRM=,explore,Explore,local-library,1\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,explore,Local playlist more,local-library,1\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,EBZsBLqcS2Q3Cr+qD2B03wMIKJtQibS1iSSOGRjAl4k=,my library,Explore,online-playlist,0\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,cedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,explore,Local playlist more,local-library,0\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,my library,Local playlist more,online-playlist,0\nX+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=,uA+auRVJYtwnLiizknqodIwp9kAV0TFrHy3ntUk4LY4=,my library,Explore,online-playlist,0\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,rTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q=,my library,Explore,online-playlist,0\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,/1Ichkj9f4d3APgjb528RrD16TAYTmIP2Emayye8V2I=,explore,Explore,local-library,1\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,explore,Explore,online-playlist,0\n",
            "songs.csv": "song_id,song_length,genre_ids,artist_name,composer,lyricist,language\n7BjqyNdYseulLTwQ05rcbdmAZHLLSuBpY104PZCGpRM=,366668,465|1259,Adele,X,,3.0\n6LwWPILu4YczKIx9SsY22zpt6wE+8tN7aDIr4g7cRcw=,378558,465,BTS,X,,52.0\nrTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q=,156612,465,周杰倫,X,,3.0\nQSQrn65W+tTm533+M8sY0cP8WD+YjPJe+fLZvg1EC7s=,139516,465|1259,BTS,X,,3.0\nW4QBV+foau87P9D8JPOt000+fyEDcNQpR17RvNPn/KI=,331321,465|1259,Adele,X,,52.0\nO5b8Bk+odKgKEyvaYL6/VO+8eAo1j9yuT7vX4StmtjA=,321868,465|1259,Adele,X,,3.0\ncedpCVkjnKBlhB66PrsoEHK6p4uguzEHm5rLSgCan+M=,106476,359,周杰倫,X,,52.0\nE9KP7ZvsvmY372sBf77+9zsrkH4l6wA5b3wmdWI+h/Y=,217426,465|1259,BTS,X,,3.0\nHLdje2lXrF1vbN7HRVVK/TzRU3u256jnTUHC6li4npc=,263429,359,BTS,X,,52.0\n5y0xDbshP0wuNNook1s4kFMy7jYooE3y3ROFn9dpxsU=,311077,359,BTS,X,,3.0\n00vutwzdzB+XOrRopPdGdVcGWi/BucEY5ygDWyXTivA=,381416,465,Adele,X,,3.0\nVo20IWk2KbJenrVZc2Xk6GJjjSncwLsD9Ahevy1a/Ws=,144210,359,周杰倫,X,,3.0\n/1Ichkj9f4d3APgjb528RrD16TAYTmIP2Emayye8V2I=,244615,465,Adele,X,,3.0\nHXqszdIDFHLCXYxNdXhkBY8ngsZtWeMVvUu0wwAvb5o=,125182,465|1259,BTS,X,,52.0\njDRWp1BsefIOEelPKc04H+wvqvToK393tZFQZXVWsyI=,295959,465,BTS,X,,52.0\nQLol3f5NrWvfCJig2kSQowuUXajxXtbfeptR0lGbxp8=,264589,359,周杰倫,X,,3.0\nhafvrpR1TgqpIYtA74heKvRpqOO4etw97TQWg3vjoC0=,249898,465|1259,BTS,X,,3.0\nuA+auRVJYtwnLiizknqodIwp9kAV0TFrHy3ntUk4LY4=,331831,465,周杰倫,X,,3.0\ngC+D+o5df3QETNn56YsT16ynhfCaIB6irzFXgk+oTFY=,124744,465|1259,Adele,X,,52.0\n0bVpA1GdWe5R1si3dNvoDrtm5jMTYb9+d4ZZe4oZ2cs=,155856,359,周杰倫,X,,3.0\nyfm0Neoo4IUIqM3ldZK8HEMKbq/E/c3QyYHU5YIBBG4=,268442,465,Adele,X,,3.0\n7FnfwvGnzA1QhnAdQ483vHrAd1ufqYEc0vUN9xD5EhE=,172000,359,Adele,X,,52.0\n9Pez1+Hc3LYdeJTc6H0iF/vxBx5EAsjyjjdl8jnjl7E=,249695,465,BTS,X,,3.0\nEBZsBLqcS2Q3Cr+qD2B03wMIKJtQibS1iSSOGRjAl4k=,114403,465,BTS,X,,3.0\n7v79K0LuRotG2kWX5o/W9p2JsMrsoFypa1AUq+9rXN0=,287248,359,Adele,X,,3.0\n",
            "members.csv": "msno,city,bd,gender,registered_via,registration_init_time,expiration_date\nX+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=,8,30,male,4,20220719,20220518\na4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=,11,25,,4,20221013,20221027\n1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=,6,30,,7,20220922,20221022\nTgdAhWK+24tgzgXB3s/jrRa3IjCWfeAfZAt+Rym0n84=,6,30,female,4,20220821,20221222\nSyJ3d9TdH8Ycb4hPSGQdArTRIdP9Moywi1Ux/Kzav4o=,14,25,,7,20220702,20220821\n7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450=,8,25,female,7,20220506,20220819\n5/bAEXdujbfNMwtUF0/Xb30CFrYSOHpf/PuB5vCRloM=,2,30,,9,20220831,20220907\neQJpm+Qsio5G+7tFAXJlF+hrIsVqGJ92JabaSQgbJFE=,1,0,,7,20221122,20220321\nLGJCMs3SIXcSlN+7MQrKAAoN9qyLZraW2Q7wb977ZKM=,7,0,,9,20220531,20220904\nGVgeJ9587QD/HOULIEfnpWfHaxy666vl7wP3wwF7tbc=,12,25,male,4,20220518,20220616\nSkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU=,7,25,female,9,20220717,20221222\nT8grJq7LR9KGjE7741gXMqPny8xsLvsyBiwIFwoF7rg=,8,25,male,4,20221113,20220325\n",
        },
        r"""
        [nodes.Item]
        file = "songs.csv"
        id = "song_id"
        properties = [{ name = "song_length", type = "int" }, "composer", { name = "language", type = "float" }]
        [edges.IN_GENRE]
        file = "songs.csv"
        from = "Item:song_id"
        to = "Genre:genre_ids"
        split = "|"
        [edges.BY_ARTIST]
        file = "songs.csv"
        from = "Item:song_id"
        to = "Artist:artist_name"
        [nodes.User]
        file = "members.csv"
        id = "msno"
        properties = [{ name = "city", type = "int" }, { name = "bd", type = "int" }, "gender", { name = "registered_via", type = "int" }, { name = "registration_init_time", type = "int" }, { name = "expiration_date", type = "int" }]
        [edges.LISTENED]
        file = "train.csv"
        from = "User:msno"
        to = "Item:song_id"
        properties = ["source_system_tab", "source_screen_name", "source_type", { name = "target", type = "int" }]
        """,
    ),
    Case(
        "events of web analytics with a user's pseudonym",
        {
            "ga4_events.csv": "event_date,event_timestamp,event_name,user_pseudo_id,ga_session_id,item_id,item_name,item_category,price,quantity,device_category,geo_country\n20221207,1660244562932788,view_item,1000008.5000000,425784709,GGOEG000004,Shirt 4,Apparel,20.03,2,mobile,US\n20221201,1646269685922089,view_item,1000001.5000001,908177780,GGOEG000007,Shirt 7,Bags,47.81,1,mobile,US\n20220812,1670796700950440,view_item,1000019.5000000,130172338,GGOEG000012,Shirt 12,Bags,40.53,1,mobile,IN\n20220304,1648894715139652,view_item,1000016.5000000,615230595,GGOEG000007,Shirt 7,Bags,47.81,1,desktop,US\n20220802,1652540770669743,view_item,1000018.5000000,185279722,GGOEG000009,Shirt 9,Apparel,7.31,1,mobile,IN\n20221002,1669018026635836,add_to_cart,1000008.5000002,617704005,GGOEG000000,Shirt 0,Bags,32.59,1,desktop,US\n20220502,1666598834529437,view_item,1000011.5000002,560556510,GGOEG000009,Shirt 9,Apparel,7.31,1,desktop,US\n20221013,1658359239473222,add_to_cart,1000012.5000000,616795878,GGOEG000011,Shirt 11,Apparel,39.84,1,desktop,IN\n20220301,1660641078117133,add_to_cart,1000007.5000001,289520866,GGOEG000005,Shirt 5,Apparel,37.77,1,desktop,IN\n20220410,1663457359822187,view_item,1000000.5000001,838293147,GGOEG000008,Shirt 8,Bags,12.07,,desktop,IN\n20221201,1654423051593521,view_item,1000013.5000002,247984247,GGOEG000001,Shirt 1,Bags,11.23,,desktop,IN\n20220424,1668490563304398,add_to_cart,1000008.5000000,54227990,GGOEG000012,Shirt 12,Bags,40.53,1,desktop,US\n20220416,1666445497155524,view_item,1000001.5000000,483653940,GGOEG000003,Shirt 3,Bags,45.42,,desktop,US\n20220716,1655656161147476,view_item,1000017.5000001,147424326,GGOEG000001,Shirt 1,Bags,11.23,2,mobile,US\n20220811,1661239285149443,view_item,1000018.5000000,712093041,GGOEG000011,Shirt 11,Apparel,39.84,2,desktop,IN\n20220408,1647718835290299,add_to_cart,1000005.5000002,880877035,GGOEG000001,Shirt 1,Bags,11.23,1,mobile,US\n20220518,1651993365496643,view_item,1000018.5000002,585732848,GGOEG000006,Shirt 6,Apparel,36.66,1,mobile,IN\n20221017,1654898784561438,view_item,1000000.5000002,628424242,GGOEG000014,Shirt 14,Apparel,35.34,,desktop,US\n20221105,1665348863568486,purchase,1000002.5000002,240831929,GGOEG000011,Shirt 11,Apparel,39.84,1,mobile,US\n20221127,1662590401475562,view_item,1000015.5000002,781147821,GGOEG000000,Shirt 0,Bags,32.59,1,desktop,US\n20220826,1653847406389263,view_item,1000007.5000000,668350318,GGOEG000009,Shirt 9,Apparel,7.31,1,mobile,IN\n20220805,1665841480072314,view_item,1000006.5000000,652959546,GGOEG000012,Shirt 12,Bags,40.53,1,mobile,US\n20220312,1657997718654940,view_item,1000017.5000002,509624487,GGOEG000000,Shirt 0,Bags,32.59,1,desktop,US\n20220703,1646380377486381,view_item,1000018.5000000,414561048,GGOEG000007,Shirt 7,Bags,47.81,1,mobile,IN\n20221116,1653854492473414,add_to_cart,1000006.5000000,116796271,GGOEG000001,Shirt 1,Bags,11.23,1,mobile,US\n20221106,1648862740390518,view_item,1000000.5000001,672757756,GGOEG000008,Shirt 8,Bags,12.07,1,desktop,US\n20220531,1646276394268817,add_to_cart,1000000.5000001,271940854,GGOEG000009,Shirt 9,Apparel,7.31,1,mobile,IN\n20220323,1654522887498679,purchase,1000019.5000000,686059822,GGOEG000000,Shirt 0,Bags,32.59,2,mobile,IN\n20220316,1652356899370610,view_item,1000000.5000001,922499907,GGOEG000001,Shirt 1,Bags,11.23,1,desktop,IN\n20220604,1660070825633518,purchase,1000015.5000002,372525783,GGOEG000014,Shirt 14,Apparel,35.34,,desktop,US\n20220331,1655366858315503,view_item,1000014.5000002,992788192,GGOEG000009,Shirt 9,Apparel,7.31,,desktop,IN\n20220512,1657148178421701,view_item,1000010.5000000,183145647,GGOEG000005,Shirt 5,Apparel,37.77,1,mobile,US\n20221202,1658326895690762,add_to_cart,1000002.5000001,480044639,GGOEG000009,Shirt 9,Apparel,7.31,,mobile,IN\n20220330,1646734417702308,view_item,1000015.5000000,930834529,GGOEG000011,Shirt 11,Apparel,39.84,2,mobile,IN\n20221204,1646200078298485,add_to_cart,1000002.5000000,11599743,GGOEG000014,Shirt 14,Apparel,35.34,2,mobile,US\n20220427,1657117407171231,view_item,1000016.5000001,697056228,GGOEG000013,Shirt 13,Apparel,46.35,,desktop,US\n20220914,1669252467374773,purchase,1000008.5000000,344075449,GGOEG000014,Shirt 14,Apparel,35.34,,mobile,US\n20221008,1651848859009909,purchase,1000000.5000001,514094324,GGOEG000008,Shirt 8,Bags,12.07,,mobile,IN\n20220619,1650914950542047,view_item,1000015.5000002,249168613,GGOEG000002,Shirt 2,Apparel,20.22,2,mobile,IN\n",
        },
        r"""
        [nodes.Item]
        file = "ga4_events.csv"
        id = "item_id"
        properties = ["item_name", { name = "price", type = "float" }]
        [edges.IN_CATEGORY]
        file = "ga4_events.csv"
        from = "Item:item_id"
        to = "Category:item_category"
        [edges.CARTED]
        file = "ga4_events.csv"
        where = { event_name = ["add_to_cart"] }
        from = "User:user_pseudo_id"
        to = "Item:item_id"
        properties = [{ name = "event_date", type = "int" }, "device_category", "geo_country"]
        time = { column = "event_timestamp", unit = "us" }
        weight = "quantity"
        [edges.PURCHASED]
        file = "ga4_events.csv"
        where = { event_name = ["purchase"] }
        from = "User:user_pseudo_id"
        to = "Item:item_id"
        properties = [{ name = "event_date", type = "int" }, "device_category", "geo_country"]
        time = { column = "event_timestamp", unit = "us" }
        weight = "quantity"
        [edges.VIEWED]
        file = "ga4_events.csv"
        where = { event_name = ["view_item"] }
        from = "User:user_pseudo_id"
        to = "Item:item_id"
        properties = [{ name = "event_date", type = "int" }, "device_category", "geo_country"]
        time = { column = "event_timestamp", unit = "us" }
        weight = "quantity"
        """,
    ),
    Case(
        "visits with year, month and day",
        {
            "museum_visits.csv": "visitor_id,museum_id,year,month,day,rating\n8,M4,2022,11,22,2\n7,M2,2022,4,21,2\n4,M1,2022,9,28,2\n9,M0,2022,7,5,5\n0,M4,2022,3,3,3\n14,M6,2022,3,26,3\n11,M3,2022,8,25,5\n18,M6,2022,11,12,4\n10,M1,2022,6,27,5\n8,M7,2022,9,20,2\n14,M7,2022,9,6,3\n6,M2,2022,9,12,3\n11,M7,2022,5,20,3\n12,M2,2022,10,16,5\n7,M3,2022,4,23,3\n",
        },
        r"""
        [edges.RATED]
        sql = "select *, concat(year, '-', lpad(month, 2, '0'), '-', lpad(day, 2, '0')) as date from museum_visits"
        files = { museum_visits = "museum_visits.csv" }
        from = "User:visitor_id"
        to = "Item:museum_id"
        properties = [{ name = "rating", type = "float" }]
        time = { column = "date", zone = "UTC" }
        """,
    ),
    Case(
        "a log with Chinese headers and events",
        {
            "用户行为.csv": "用户ID,商品ID,商品类目,行为类型,时间\n4,8,0,点击,2022-07-06 03:50:16\n18,28,0,购买,2022-03-11 11:28:20\n13,13,1,点击,2022-04-10 02:20:21\n4,10,2,加购,2022-10-12 12:11:42\n14,13,1,购买,2022-05-17 14:25:17\n10,20,0,收藏,2022-07-06 16:05:23\n13,2,2,加购,2022-08-05 06:14:56\n2,6,2,购买,2022-03-14 15:07:45\n6,3,3,点击,2022-05-13 22:04:28\n8,22,2,收藏,2022-06-27 11:23:50\n8,5,1,点击,2022-03-10 01:35:19\n8,22,2,购买,2022-05-25 07:25:54\n18,7,3,点击,2022-03-06 00:58:59\n19,9,1,收藏,2022-04-23 03:44:32\n10,19,3,加购,2022-04-29 10:11:13\n",
        },
        r"""
        [edges.IN_CATEGORY]
        file = "用户行为.csv"
        from = "Item:商品ID"
        to = "Category:商品类目"
        [edges.CARTED]
        file = "用户行为.csv"
        where = { "行为类型" = ["加购"] }
        from = "User:用户ID"
        to = "Item:商品ID"
        time = { column = "时间", zone = "UTC" }
        [edges.LIKED]
        file = "用户行为.csv"
        where = { "行为类型" = ["收藏"] }
        from = "User:用户ID"
        to = "Item:商品ID"
        time = { column = "时间", zone = "UTC" }
        [edges.CLICKED]
        file = "用户行为.csv"
        where = { "行为类型" = ["点击"] }
        from = "User:用户ID"
        to = "Item:商品ID"
        time = { column = "时间", zone = "UTC" }
        [edges.PURCHASED]
        file = "用户行为.csv"
        where = { "行为类型" = ["购买"] }
        from = "User:用户ID"
        to = "Item:商品ID"
        time = { column = "时间", zone = "UTC" }
        """,
    ),
    Case(
        "campaigns that people opened",
        {
            "campaign_activity.csv": "Email Address,Campaign Title,Campaign Id,Action,Timestamp,URL\np5@q.org,News 2,9ab62b5ef3,click,2022-11-08T19:08:56+00:00,https://x.de\np0@q.org,News 1,a9f7e97965,open,2022-04-06T13:21:20+00:00,\np5@q.org,News 0,b0fce403c1,open,2022-05-23T09:07:55+00:00,\np0@q.org,News 1,a9f7e97965,click,2022-08-10T09:38:49+00:00,https://x.de\np1@q.org,News 3,0a3d72134f,open,2022-10-01T00:07:57+00:00,\np6@q.org,News 0,b0fce403c1,open,2022-04-18T01:55:04+00:00,\np3@q.org,News 0,b0fce403c1,open,2022-10-14T09:38:29+00:00,\np6@q.org,News 0,b0fce403c1,open,2022-03-19T02:10:55+00:00,\np8@q.org,News 2,9ab62b5ef3,click,2022-08-10T18:39:32+00:00,https://x.de\np2@q.org,News 1,a9f7e97965,open,2022-06-28T19:15:32+00:00,\np8@q.org,News 2,9ab62b5ef3,open,2022-10-12T20:54:23+00:00,\np9@q.org,News 3,0a3d72134f,click,2022-04-07T20:07:07+00:00,https://x.de\np8@q.org,News 1,a9f7e97965,open,2022-03-24T03:31:23+00:00,\np9@q.org,News 3,0a3d72134f,click,2022-11-20T05:47:14+00:00,https://x.de\np8@q.org,News 6,5a34d1edae,click,2022-08-28T19:43:26+00:00,https://x.de\n",
        },
        r"""
        [nodes.Item]
        file = "campaign_activity.csv"
        id = "Campaign Id"
        properties = [{ name = "Campaign_Title", column = "Campaign Title" }, "URL"]
        [edges.CLICKED]
        file = "campaign_activity.csv"
        where = { Action = ["click"] }
        from = "User:Email Address"
        to = "Item:Campaign Id"
        time = { column = "Timestamp" }
        [edges.OPEN]
        file = "campaign_activity.csv"
        where = { Action = ["open"] }
        from = "User:Email Address"
        to = "Item:Campaign Id"
        time = { column = "Timestamp" }
        """,
    ),
]
