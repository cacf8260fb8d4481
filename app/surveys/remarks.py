"""What may follow 满意 or 1, and what may not follow 不满意 or 3. Pure; replies.py reads the answer itself.

Behind 满意 only what is listed here may stand: nobody can list what takes it back, 水又停了 as little as 呸, 反话 or 🙄.
Behind 不满意 anything may stand but what says that all is well. Each phrase says a whole thing, so that one may follow
another with nothing between: 谢谢你们很快就修好了. None hopes, asks or sets a condition.
"""

import re

# Signs that doubt nothing. Not ?, %, #, /, = and the like; in -1 and :( these do.
_MARKS = re.escape(",.;:!。、·…~-—–'\"“”‘’「」『』《》〈〉()[]{}【】〔〕•")
# They praise whoever sends them. 🙂, 😂 and 😅 are sent in scorn as well, so they are not among them.
_IN_FAVOUR = "👍👏🌹💐🌺🌸🌷🌻🎉🎊💯❤♥💕💖💗💓💞💝😊😄😃😀😁😍🥰😘🤩😋🥳🤗😇👌✌🤝💪🙌🌟⭐🏆🥇🧧"
_THIN_SMILES = "🙂☺"
# They go with every answer: a tick chooses it, folded hands thank or beg. Then the colours of hands.
_NEUTRAL = "✓✔✅☑√🙏🏻🏼🏽🏾🏿"

# 吗, 吧 and 呢 may ask; 哈哈 laughs.
_AFTER = r"(?:[了的啊呀哦啦哒咯哟]|哈(?!哈))*"
_VERY = (
    r"(?:非常|特别|十分|相当|实在|真的|真是|确实|的确|超级|极其|无比|硬是|很|真|太|挺|好|超|都|蛮)"
)
_PEOPLE = (
    r"(?:您们?|你们?|我们?|大家|各位|所有|全体|各级|有关|相关|群众|老?百姓|党|国家|共产党|人民|政府|领导|干部|书记|主任"
    r"|[县镇乡村队社组站所]长|支书|师傅|同志|工作人员|工作组|人员|老师|民警|网格员|[村居]委会?|社区|街道|[村镇乡县][里上]?"
    r"|部门|单位|公司|水务|水厂|自来水公司|供电所?|电力|指挥中心|群工部?|系统|平台|们|的|和|与)"
)
_FOR_US = r"(?:[为给帮替](?:我们?|咱们?|大家|群众|老?百姓|[村居]民|人民)[家村组社]?)"
_THING = (
    r"(?:[家村组院][里上]?|门口|这个|这件|反映|的|(?:自来|饮用?|吃|用)?水[管费]?|电|气|路?灯|[公道]?路面?|桥|沟|垃圾|信号"
    r"|网络?|房子?|大|实际|问题|事情?|困难|难题|矛盾|纠纷|工资|钱|补[贴助]|低保)"
)
_OF_OURS = rf"(?:我们?[家村组社]?的)?{_THING}*+"

_DEEDS = (
    r"(?:关心|关怀|关注|帮助|帮忙|支持|付出|努力|服务|工作|处理|办理|维修|回复|答复|解决|重视|辛苦|辛勤|及时|快速|迅速"
    r"|认真|耐心|热情|的|和)"
)
_THANKS = (
    rf"{_VERY}?(?:万分|衷心|由衷|再次|表示|深表)?(?:感谢|谢谢|多谢|谢了|感恩|感激|谢){_PEOPLE}*+{_DEEDS}*+{_AFTER}{_OF_OURS}"
    rf"|{_PEOPLE}*+{_VERY}?辛苦{_PEOPLE}*+{_AFTER}|(?:给?{_PEOPLE}添)?麻烦[您你]们?了"
    r"|thank you(?: very much)?|thanks|thx"
)
# What they praise. 办好 and 处理好 may demand it, so 好 stands behind such a verb with 得 only.
_WORK = (
    rf"(?:{_PEOPLE}*+(?:(?:服务|工作|办事)?(?:态度|效率|质量|作风)|服务|工作|速度|效果|结果|素质|水平"
    r"|(?:办事|做事|处理|办理|解决|维修|回复|答复|响应|反应)(?!好)"
    r"|(?:办事?|做事?|处理|解决|回复|维?修|干|搞|弄|整|来)[得的])[也又]?)"
)
# 快修好了 and 快通了 say that it is not done yet.
_GOOD = (
    r"(?:好|快(?![修弄办好通完处解])|高|及时|到位|周到|热情|认真|负责任?|耐心|细心|仔细|贴心|暖心|给力|不错|棒|赞|优秀|迅速|神速"
    r"|完美|专业|靠谱|妥当|漂亮|扎实|积极|主动|亲切|一流|高兴|开心|感动|放心|安逸|巴适|要得|得行|撑展|攒劲|美|中)"
    r"(?:得很|得板|惨了|极了)?"
)
_PRAISE = (
    rf"{_WORK}{_VERY}{{0,3}}{_GOOD}(?:[又也]?{_VERY}{{0,3}}{_GOOD})*{_AFTER}"
    rf"|{_PEOPLE}*+(?:真?是|都是)?好(?:样的|干部|政府|党员|书记|领导|公仆|人){_AFTER}"
    rf"|{_PEOPLE}*+{_VERY}{{1,3}}{_GOOD}+{_AFTER}"
    # By itself 快 urges and 负责 demands; 高, 美 and 中 say too little.
    rf"|(?!快|高(?!兴)|负责|[美中](?!得)){_GOOD}+{_AFTER}"
    rf"|(?:[我给为向]|值得|提出|必须|{_PEOPLE})*+(?:点个?赞|赞一个|(?:五星)?好评|表扬){_AFTER}"
    rf"|(?:{_FOR_US}|{_PEOPLE})*+[办做干]了?[一件大]*[实好]事{_AFTER}"
    rf"|(?:{_VERY}|very )?(?:good|great|nice|perfect)"
)

_SOON = (
    r"(?:(?:很快|马上|立马|立即|立刻|及时|当天|当晚|第二天|次日|连夜|半天|(?:半个?|[一两二三123]个?)小时|[一两二三123]天)内?就?"
    r"|今天|昨天|现在|目前|终于|总算|已经?|全部|都|也|彻底)"
)
# 就好了, 快好了 and 通水 without 了 wish for it, and 问题来了 announces one: they are not among them.
_DONE = (
    r"(?:(?:解决|处理|维修|清理|疏通|协调|修|办|换|装|补)(?:好|完|妥|复|通|干净|到位)?了|[弄搞整接做]好了|修[好复]"
    r"|(?:(?<=已)|(?<=已经))(?:(?:得到)?解决|处理|办[结好理]|恢复|到账|落实|完成|通[水电气车网])"
    r"|(?:(?<=[水电气网])|(?<=[水电气网][都也已])|(?<=[水电气网](?:已经|现在)))来了"
    r"|通[水电气车网路]?了|[来有][水电气网]用?了|亮了|恢复(?:了|正常)|正常了|(?<![就快])好了|落实了|到[位账]了|拿到了|发了|清了|干净了)"
)
_SOLVED = (
    rf"(?:{_PEOPLE}|{_THING}|有人|派人)*+{_SOON}*+(?:有人|派人|{_PEOPLE})*+{_SOON}*+{_FOR_US}?(?:上门|过?来)?{_FOR_US}?{_DONE}"
    rf"{_OF_OURS}{_AFTER}"
)
_MANNERS = (
    r"(?:好|可以|行)的?|收到|知道了|对[头的]?|是的|嗯+|ok|yes|satisfied|[您你]们?好|领导好|大家好"
    r"|(?:希望)?继续(?:保持|努力|加油)|再接再厉|加油"
    rf"|祝?{_PEOPLE}*+(?:工作顺利|(?:节日|新年)(?:快乐|好)|身体健康|万事如意|阖家幸福|(?:好人)?一生平安)"
)
# What those write who are satisfied on the whole: that it took a little long, or might be better another time.
_SLOW = r"(?:(?:有一?点儿?|稍微?|略)[慢久长晚迟]了?|[慢久长晚迟]了?(?:一?点儿?|一?些))"
_MILD = (
    rf"(?:就是|只是|不过|但是?)?(?:时间|速度|(?:处理|办理|解决|办事|修|来|等|拖|办|回复)[得的]?)?{_SLOW}"
    r"|还(?:行|可以|好|不错)|过得去|马马虎虎|基本上?(?:解决|修好|处理好|好|通)了"
    r"|希?望?(?:以后|下次|今后)(?:能|可以)?再?(?:快|早|及时)(?:一?点|一?些)|希望再(?:快|早|及时)(?:一?点|一?些)"
    r"|(?:还?有待|还?需要?|希望)(?:进一步|继续|再)?(?:提高|改进|加强)"
)

_STRANGE = re.compile(rf"[^\w\s{_MARKS}{_IN_FAVOUR}{_NEUTRAL}]|_|:'?-?\(|-(?=\d)")
_APPLAUDS = re.compile(f"[{_IN_FAVOUR}{_THIN_SMILES}]")
_CLAUSES = re.compile(r"[\W_]+")
_ALL_IS_WELL = re.compile(rf"(?>(?:{_SOLVED}|{_THANKS}|{_PRAISE})+)", re.IGNORECASE)
_THANKS_ONLY = re.compile(rf"(?>(?:{_THANKS})+)", re.IGNORECASE)
_GREETING = re.compile(r"[您你]们?好|领导好|大家好")
# The same in the midst of other words, as in 把水弄通了. 需要得到, 通知 and 最好 only contain it.
_GOOD_NEWS = re.compile(
    r"解决(?:好|完)?了|已经?(?:全部|都)?(?:解决|处理|恢复|通(?!知)|办[好理结妥完])|[修弄搞整办装换接]好|修复|处理好|(?<!最)好了"
    r"|(?<![打沟])通[水电气车网路]?了|来[水电]了|[水电气]来了|恢复(?:了|正常)|正常了|亮了|感谢|谢谢|多谢|感恩|(?<![很太好])辛苦[了您你]"
    r"|[很真挺太都]好(?![久多几])|非常好|好[得的]很|[做干办修]得好|好评|点个?赞|表扬|优秀|完美|给力|不错|[很真]快|及时|认真负责"
    r"|巴适|安逸|(?<!需)要得(?!到)|满分|(?<!\d)100分|[没无]有?(?:什么|[什啥])?(?:问题|意见|话说)"
)
# What makes it no good news, in the same clause. Before it: 没解决, 说修好了, 希望及时处理; 就 and 已 begin anew, as in
# 没几天就修好了. Behind it: 修好又坏了, 解决了一半, 要得个屁.
_DENIED = re.compile(
    r"(?:[没未无难莫冇谁哪啥请望盼要]|不(?!过)|非(?!常)|等(?!了)|(?<!都)说|何时|几时|什么|多久|怎么|如果|应该)[^就已]{0,30}$"
)
_SPOILT = re.compile(
    r"[又却但没坏停断漏堵差更才吗吧]|不(?![尽错])|再次|还是|个[屁鬼啥]|[几一两三四五]天|一[半会下]"
)
# A closing 谢谢 behind what is asked for is manners: 不满意，请尽快来修，谢谢.
_ASKED_FOR = re.compile(
    r"(?:请(?!放心)|希望|麻烦|求).*(?:尽快|早[日点]|快点|赶[快紧]|抓紧|重新|再来|来[人修看]|解决|处理)"
)
# 不满意：无 fills in a form, 不满意，没有的事 takes it back.
_NOTHING_TO_IT = re.compile(
    r"[那这倒也是都可并]*(?:无|没得?|没有|木有|冇|莫得|不是|不会|不可能|不存在|不至于|[谈说算]不上|没这回事|没有的事|怎么可能"
    r"|哪有|才怪|才?是?假[的话]?)(?:不满意?)?[的啊了吧呢呀哦哈]*"
)
_MISTAKE = re.compile(r"[按发打点写输选回][错反]|反话|反着|开玩笑|骗你")


def agreed_remark(again: str, *, mildly: bool) -> re.Pattern[str]:
    """What may follow 满意 or, `mildly`, 基本满意. `again`: the ways of saying the same answer once more."""
    phrases = "|".join([again, _SOLVED, _THANKS, _PRAISE, _MANNERS, *([_MILD] if mildly else [])])
    # A phrase once taken is not taken back: reading stays quick, whatever was written.
    return re.compile(rf"(?>(?:{phrases}|[\W_]+)*)", re.IGNORECASE)


def doubted(words: str) -> bool:
    """Whether a sign anywhere in the text may take 满意 back: a question mark, 🙄, :(."""
    return _STRANGE.search(words) is not None


def says_all_is_well(words: str, remark: str) -> bool:
    """Whether somebody who chose 不满意 goes on as the satisfied do, or takes it back."""
    clauses = [one for one in _CLAUSES.split(remark) if one and not _GREETING.fullmatch(one)]
    if _ASKED_FOR.search(remark):
        clauses = [one for one in clauses if not _THANKS_ONLY.fullmatch(one)]
    return (
        _APPLAUDS.search(words) is not None
        or _MISTAKE.search(remark) is not None
        or bool(clauses and _NOTHING_TO_IT.fullmatch(clauses[0]))
        or any(_ALL_IS_WELL.fullmatch(one) or _good_news(one) for one in clauses)
    )


def _good_news(clause: str) -> bool:
    return any(
        not _DENIED.search(clause[max(0, found.start() - 32) : found.start()])
        and not _SPOILT.search(clause[found.end() :])
        for found in _GOOD_NEWS.finditer(clause)
    )
