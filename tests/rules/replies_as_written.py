"""Replies as citizens text them, in groups, and how each is to be read: a table for test_reply_reading.py."""

from app.evaluation.terms import Value

SATISFIED, BASICALLY, DISSATISFIED = Value
UNCLEAR = None

# Each group: what the replies have in common, how they read, and the replies, one a line.
GROUPS: tuple[tuple[str, Value | None, str], ...] = (
    (
        "thanks behind satisfied",
        SATISFIED,
        """1 谢谢
1谢谢
1辛苦了
1，非常感谢
1 🙏
満意，謝謝
滿意，謝謝你們
１、滿意，謝謝領導關心
满意，感谢党，感谢政府
满意，谢谢村干部
满意，谢谢领导关心
满意，感谢你们的及时处理
满意，谢谢你们帮我们解决了大问题
满意，感谢政府解决了我们的困难
满意 辛苦大家了
满意，你们辛苦了
满意谢谢
1 thank you""",
    ),
    (
        "solved behind satisfied",
        SATISFIED,
        """满意，水通了
满意，水来了
满意，我家水来了
满意，现在有水了
满意，终于通水了
满意，通水了，谢谢
滿意，水已經通了
满意，已解决
满意，我反映的问题已得到解决
满意，问题都解决了
满意，路灯都亮了
满意，路修好了
满意，垃圾清理干净了
满意，补助到账了
满意，工资拿到了，谢谢
满意，自来水管修好了
满意，电力公司很快来修好了
满意！很快就来修了，谢谢你们
满意，当天就修好了
满意，两天就解决了
满意，3天就修好了
满意很快就解决了谢谢""",
    ),
    (
        "praise behind satisfied",
        SATISFIED,
        """1 好
1 很好
1，效率真高
1，修得又快又好
1，来得很快
1，不错
1 ok
1 👍👍👍
1🌹
1✅
1😊
满意，速度很快
满意，态度很好
满意，服务态度好
满意，师傅态度很好，速度快
满意，处理及时
满意，办得好
满意，工作认真负责
满意，好干部
满意，为你们点赞
满意，给你们点个赞
满意，为老百姓办实事
满意，继续保持
满意，祝你们工作顺利
满意得很""",
    ),
    (
        "praise as it is spoken here",
        SATISFIED,
        """满意，巴适
满意，巴适得板
滿意，巴適
1，要得
满意，安逸得很
1 得行""",
    ),
    (
        "the same answer once more",
        SATISFIED,
        """1 满意
1，很满意，谢谢
1、满意。水通了
满意（1）
满意 1
满意，满意，满意
1.满意""",
    ),
    (
        "satisfied on the whole, and a little slow",
        BASICALLY,
        """2，就是慢了点
基本满意，就是慢了点
基本满意，有点慢
基本满意，速度慢了点
2，时间有点久
2，还可以
2，还行
2，基本解决了
2，希望下次快点
2，有待改进
2 谢谢
2，很好
基本满意 2
2 吧""",
    ),
    (
        "dissatisfied, and why",
        DISSATISFIED,
        """不满意，水还是没有
3 水还是黄的
不满意。到现在也没人来
3，没解决
3，没修好
3，根本没解决
3，到现在都没修好
3，修好又坏了
3，修好了三天又坏了
3，水通了两天又停了
3，只解决了一半
3，说修好了其实没有
3，说好了三天来修，没来
3，什么时候能修好
3，请尽快解决
不满意，请尽快来修，谢谢
不满意，希望尽快处理，谢谢
不满意，你好，水还没来
不满意，没有水
不满意，没人管
不满意，莫得人管
不满意，日白
不满意，处理不及时
不满意，态度不好
不满意，需要得到处理
不满意，已经通知三次了
不满意，最好快点
不满意，请打我电话 13800000001
3，好几天没水了
3，电话打通了没人接
3，我们挑水很辛苦
3，不是没问题
3😡
不满意🙏
不满意 3""",
    ),
    (
        "3 before what only begins like a number of something",
        DISSATISFIED,
        """3 天天停水
3，天天停水
3 处理太慢
3 根本没人来
3 路还是烂的
3 家里没水
3 村里没人管
3 楼道灯没亮
3 条件差
3，三天了还没有水
3、灯坏了
不满，3天没人来""",
    ),
    (
        "satisfied, and the trouble goes on",
        UNCLEAR,
        """1，水又停了
1，仍停水
1，照样停水
满意，问题还在
满意，依旧停水
满意，水通了又停了
满意，水通了一天
满意，白跑一趟
1，还差得远
很满意，就是太慢了
2，水断了
2，可是没解决
满意，太慢
满意，问题来了
满意，快修好了
满意，都快修好了""",
    ),
    (
        "satisfied, and it is not meant",
        UNCLEAR,
        """1，差评
1，投诉
1（反话）
满意（讽刺）
满意，呸
满意，锤子
1，锤子
满意，个铲铲
满意，日白
满意，豁人
满意，呵呵
满意哈哈哈
满意，谢谢你全家
满意，鬼信
满意，敷衍
1 no
满意 bushi
满意, just kidding
满意，才怪""",
    ),
    (
        "satisfied, and somebody else says so",
        UNCLEAR,
        """满意，被逼的
满意，干部拿我手机填的
满意，你们自己填的
满意，书记让我回的""",
    ),
    (
        "satisfied, if only",
        UNCLEAR,
        """1，如果水通了
满意，要是水通了
满意，等水来了
1，水通了就好了
1，水通了才满意
1，水通了吗
1？
？1
1，通水
1，处理好
1，最好快点
1，快
2，希望快点修好
满意，希望早点通水""",
    ),
    (
        "satisfied, and a sign that doubts it",
        UNCLEAR,
        """满意🖕
满意🙄
🙄满意
👎满意
1🤮
满意🚫
满意🙂
满意😂
满意[微笑]
满意:(
-1
满意=不满意""",
    ),
    (
        "satisfied, and another number",
        UNCLEAR,
        """满意 3
满意，3
满意（3）
1 满意 3
基本满意，1
满意 0分
1 0分
满意，零分
1.0
2满意
1，2""",
    ),
    (
        "a number of something, not a choice",
        UNCLEAR,
        """1 栋停水
1 楼漏水
2 组停电
2 单元停水
3 栋停水
3、楼漏水
3 天就解决了
3 天办结，好评
3 分钟就修好了
3 个月了
3 户没水
3 社停电
3 村停水
三 组停电
1 月停水到现在
1 号楼停水
3 号来修好了，谢谢
不满 3 天就修好了，谢谢
不满 3 天
三 三天就修好了""",
    ),
    (
        "an enumeration, not a choice",
        UNCLEAR,
        """1、水停 2、路烂 3、灯坏
1、停水 2、停电
1.水停了2.路坏了
3、灯坏 4、路烂
1、十三栋停水
1满意 2基本满意 3不满意""",
    ),
    (
        "dissatisfied, and thanks or praise",
        UNCLEAR,
        """3，水通了，感谢政府
3，谢谢
不满意，谢谢
3，很好
3，都很好
3，好评
3，没问题
3，没意见
3，不错
3，巴适
3，态度好，速度快
3，感谢不尽
3💯
3👍
3🌹
3😊
3❤️""",
    ),
    (
        "dissatisfied, and solved",
        UNCLEAR,
        """3，解决了
3，已解决
3，水通了
3 水已经来了
3，修好了
3，没几天就修好了
3，等了三天水来了
不满，现在好了
不满意，不过现在好了
3，謝謝，問題解決了""",
    ),
    (
        "dissatisfied, taken back",
        UNCLEAR,
        """不满意：无
不满意，没有
不满意，没有啊
不满意，没这回事
不满意，谈不上
不满意，才怪
不满意 1
不满意，1
不满意 5
3，按错了
3，应该是1
不满意，现在满意""",
    ),
)
