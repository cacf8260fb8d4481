"""More replies as people of the villages text them, and how each is to be read: the table goes on for test_reply_reading.py."""

from app.surveys.replies import Value

SATISFIED, BASICALLY, DISSATISFIED = Value
UNCLEAR = None

MORE_GROUPS: tuple[tuple[str, Value | None, str], ...] = (
    (
        "a building, not a choice",
        UNCLEAR,
        """3#楼有水了
3#楼停水
3＃楼停水
3 # 楼停水
3#停水
3(栋)停水
3（楼）没水
3（号楼）停水
3号楼停水
3/楼停水
3-楼停水
3-二单元停水
3)栋停水
三#楼停水
1#楼好了
2#楼停水
1#停水
1(栋)停水
2（楼）没水
1(栋)好了
1/楼好了
2-楼好了
1号楼好了
2号楼停水
#3楼停水
#3，停水""",
    ),
    (
        "dissatisfied, and a bracket that counts nothing",
        DISSATISFIED,
        """3（没水）
3（家里没水）
3-没水
3/没水
3（天天停水）
3（楼道没灯）""",
    ),
    (
        "dissatisfied, and well enough",
        UNCLEAR,
        """3，可以了
3，行了
3，没事了
3，水有了
3 ok
不满意，可以了
3，好的
3，谢谢已经好了
3，可以
3，行
3，现在可以了
3，没得事了
3，家里水有了
3，ok了
3，可以了，水还是黄的""",
    ),
    (
        "dissatisfied, and not well",
        DISSATISFIED,
        """3，不可以
3，不行
3，这样可以吗
3，还没有水
3，有事找不到人
3，可以了吗
3，不得行
3，要不得
3，再不修就不行了
3，有水就行了
3，说可以了，其实没有
3，进行了三次维修还漏
3，可以了解一下情况吗
3，没有水了
3，水有了又没了""",
    ),
    (
        "satisfied, and it is they who had the trouble",
        UNCLEAR,
        """1，我们太辛苦了
2，老百姓太辛苦了
1，群众辛苦了
1，太辛苦了
1，辛苦我们了
1，太高了
1，好高
1，我们修好了
1，自己修好了
1，我修好了
1，老百姓解决了
满意了吧
满意吧
满意呢
满意了吗
满意？
满意嘛
1，我们太热情了""",
    ),
    (
        "satisfied, and it is they who are praised",
        SATISFIED,
        """满意，您们辛苦了
1，领导辛苦了
1，你们太辛苦了
满意，效率很高
满意，我们的干部辛苦了
1，我们有水了
1，我们的水通了
1，我们很高兴
1，群众反映的问题解决了
1，领导水平高""",
    ),
    (
        "dissatisfied, and nothing wrong, as it is said here",
        UNCLEAR,
        """3，没得问题
3，莫得问题
3，没得意见
3，冇意见
3，沒得問題
3，没啥说的
3，没得说
3，莫来头
3，没关系
3，得行
3，搞归一了
3，整巴适了
3，没其他问题了
3，没要求
不满意，暂时没有""",
    ),
    (
        "dissatisfied, and the trouble is over",
        UNCLEAR,
        """3，水来咯
3，水以经来了
3，己解决
3，水来起了
3，灯亮起来了
3，现在我家有水了
3，不漏了
3，水不臭了
3，噪音没得了
3，没有臭味了
3，搞定
3，钱发下来了
3，工资到账了
3，证拿到手了
3，退款到了
3，供水正常
3，一切正常
3，垃圾拉走了
3，灯安起了""",
    ),
    (
        "dissatisfied, and hardly anything else",
        UNCLEAR,
        """3，收到
3，知道了
3，一般
3，还行
3，还可以
3，随便
3，无所谓
3，不用来了
3，来修了
3，正在修
3，继续努力
3，支持政府
3，理解你们
3，费心了
3，厉害
3，五星
3[强]
3[玫瑰]
3🆗
3💚
3 Q
谢谢，3
谢谢领导 3
辛苦了，3""",
    ),
    (
        "dissatisfied, by somebody who may not have meant it",
        UNCLEAR,
        """3，啥子意思
3，这是什么短信
3，你是谁
3，怎么回复
3，看不懂
3，我不识字
3，我没反映过
3，不是我反映的
3，机主换人了
3，小孩按的
3，手误""",
    ),
    (
        "more of something, not a choice",
        UNCLEAR,
        """3，四栋停水
3 四栋停水
3、五楼没水
3 大队停电
3 小组没水
3 小区停水
3 座桥没修
3 人受伤
3 万块没给
3 周没水
3 星""",
    ),
    (
        "dissatisfied, whatever it looks like",
        DISSATISFIED,
        """3，没法说
3，不正常
3，不理解
3，还在漏
3，说不漏了，还是漏
3，补贴没有到账
3，钱没发下来
3，承诺没兑现
3，修了又坏
3，来修了三次都没修好
3，随便整了一下
3，看不懂你们的答复
3，不知道什么时候修
3，水不够用
3，臭味还在
3 周围都没水
3 天花板还在漏
3[怒]
3🙄
3💔
3✔
谢谢，不满意，水还没来
谢谢，3，水没来
不满意得很
不满意，莫得水
不满意，没事先通知
不满意，没关系就办不成
不满意，没有问题解决
不满意，但是师傅态度好
不满意，行政不作为
不满意，好多次了
3，太高了
3，我们太辛苦了
满意个铲铲""",
    ),
    (
        "satisfied, and who knows",
        UNCLEAR,
        """1，办理中
1，处理中
2，处理中
1，马上修好了
1，马上通水了
1，听说修好了
1，好了没
1，水来了嘛
1，真美
1，很高
1，你们好安逸
1，领导安逸得很
1，你们真开心
1，谢谢你们的垃圾
1，谢谢你们的问题
1，群众修好了
1，大家修好了
1，我们集资修好了
1，你们真行
1，你们干的好事
1，懂的都懂
1，不敢不满意
太满意
大满意
布满意
不是满意
满意噻
满意了噻
你满意了吧
满意，不满意又能怎样""",
    ),
    (
        "satisfied, in the words of here",
        SATISFIED,
        """1，水有了
太满意了
满意，昨天就通水了
满意，第二天就来修好了
满意，我家的水来了，谢谢你们
满意，路修好了，灯也亮了
满意，感谢各级领导的关心
满意，谢谢你们辛苦了
1，要得要得
1，师傅修好了
1，村干部辛苦了
满意，很快解决了我们的问题
满意，感谢政府为老百姓办实事""",
    ),
    (
        "satisfied on the whole, in the words of here",
        BASICALLY,
        """基本满意吧
基本满意，水来了
2，来得有点晚""",
    ),
)
