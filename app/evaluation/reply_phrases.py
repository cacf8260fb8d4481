"""What may follow 满意 or 1, and what may not follow 不满意 or 3. Pure; reply_parser.py reads the answer itself.

Behind 满意 only what is listed here may stand: nobody can list what takes it back, 水又停了 as little as 呸, 反话 or 🙄.
Behind 不满意 anything may stand but what says that all is well. Each phrase says a whole thing, so that one may follow
another with nothing between: 谢谢你们很快就修好了. None hopes, asks or sets a condition.
"""

import re

# Signs that doubt nothing. Not ?, %, #, /, = and the like; in -1 and :( these do.
_MARKS = re.escape(",.;:!。、·…~-—–'\"“”‘’「」『』《》〈〉()[]{}【】〔〕•")
# They praise whoever sends them. 🙂, 😂 and 😅 are sent in scorn as well, so they are not among them.
_IN_FAVOUR = "👍👏🌹💐🌺🌸🌷🌻🎉🎊💯❤♥💕💖💗💓💞💝😊😄😃😀😁😍🥰😘🤩😋🥳🤗😇👌✌🤝💪🙌🌟⭐🏆🥇🧧🆗💚💙💛🧡💜🫶🤟🥂🍻"
_THIN_SMILES = "🙂☺"
# They go with every answer: a tick chooses it, folded hands thank or beg. Then the colours of hands.
_NEUTRAL = "✓✔✅☑√🙏🏻🏼🏽🏾🏿"

# 吗, 吧 and 呢 may ask; 哈哈 laughs.
_AFTER = r"(?:[了的啊呀哦啦哒咯哟]|哈(?!哈))*"
_VERY = (
    r"(?:非常|特别|十分|相当|实在|真的|真是|确实|的确|超级|极其|无比|硬是|很|真|太|挺|好|超|都|蛮)"
)
# Who helped. Not whoever was helped, who may have toiled and mended it themselves: 我们太辛苦了, 我们修好了.
_OFFICIAL = r"(?:党|国家|政府|领导|干部|书记|主任|支书|师傅|同志|工作人员|工作组|民警|网格员|[村居]委|社区|街道|[县镇乡村队社组站所]长)"
_PEOPLE = (
    rf"(?:您们?|你们?|(?:我们?|咱们?|人民|群众)(?=的?(?:[县镇乡村社组区]里?的?|好)?{_OFFICIAL})|大家(?!一起|自己|修|解决|处理|[办弄搞整清疏换装补接])|各位|所有|全体|各级|有关|相关|共产党"
    rf"|{_OFFICIAL}|人员|老师|[村居]委会|[村镇乡县][里上]?"
    r"|部门|单位|公司|水务|水厂|自来水公司|供电所?|电力|指挥中心|群工部?|系统|平台|们|的|和|与)"
)
_US = r"(?:我们?|咱们?|大家|群众|老?百姓|[村居]民)"
_FOR_US = r"(?:[为给帮替](?:我们?|咱们?|大家|群众|老?百姓|[村居]民|人民)[家村组社]?)"
_THING = (
    r"(?:[家村组院][里上]?|门口|这个|这件|反映|的|(?:自来|饮用?|吃|用)?水[管费]?|电|气|路?灯|[公道]?路面?|桥|沟|垃圾|信号"
    r"|网络?|房子?|大(?!家)|实际|问题|事情?|困难|难题|矛盾|纠纷|工资|钱|补[贴助]|低保)"
)
_OF_OURS = rf"(?:我们?[家村组社]?的)?(?>{_THING}{{0,8}})"
# Whose it is: what we ourselves have mended is nobody's merit.
_OUR_THING = rf"{_US}(?:这里|这边|那里|那边|这儿)?(?={_THING})"

_DEEDS = (
    r"(?:关心|关怀|关注|帮助|帮忙|支持|付出|努力|服务|工作|处理|办理|维修|回复|答复|解决|重视|辛苦|辛勤|及时|快速|迅速"
    r"|认真|耐心|热情|的|和)"
)
_THANKS = (
    rf"{_VERY}?(?:万分|衷心|由衷|再次|表示|深表)?(?:感谢|谢谢|多谢|谢了|感恩|感激|谢)(?>{_PEOPLE}{{0,8}})(?:(?>{_DEEDS}{{1,8}}){_AFTER}{_OF_OURS})?{_AFTER}"
    rf"|(?>{_PEOPLE}{{1,8}}){_VERY}?辛苦(?>{_PEOPLE}{{0,8}}){_AFTER}|{_VERY}?辛苦(?>{_PEOPLE}{{1,8}}){_AFTER}|辛苦{_AFTER}|(?:给?{_PEOPLE}添)?麻烦[您你]们?了"
    r"|thank you(?: very much)?|thanks|thx"
)
# What they praise. 办好 and 处理好 may demand it, so 好 stands behind such a verb with 得 only.
_WORK = (
    rf"(?:(?>{_PEOPLE}{{0,8}})(?:(?:服务|工作|办事)?(?:态度|效率|质量|作风)|服务|工作|速度|效果|结果|素质|水平"
    r"|(?:办事|做事|处理|办理|解决|维修|回复|答复|响应|反应)(?!好)"
    r"|(?:办事?|做事?|处理|解决|回复|维?修|干|搞|弄|整|来)[得的])[也又]?)"
)
# 快修好了 and 快通了 say that it is not done yet.
_GOOD = (
    r"(?:(?:好|快(?![修弄办好通完处解])|及时|到位|周到|热情|认真|负责任?|耐心|细心|仔细|贴心|暖心|给力|不错|棒|赞|优秀|迅速|神速"
    r"|完美|专业|靠谱|妥当|漂亮|扎实|积极|主动|亲切|一流|要得|得行|撑展|攒劲)(?:得很|得板|惨了|极了)?)"
)
# How one feels about it: 你们好安逸 is said of those who do nothing.
_PLEASED = r"(?:(?:高兴|开心|感动|放心|安逸|巴适)(?:得很|得板|惨了|极了)?)"
# Of work alone, since 太高了 may be the bill.
_WELL_DONE = rf"(?:{_GOOD}|{_PLEASED}|[高美](?:得很|得板|极了)?)"
_PRAISE = (
    rf"{_WORK}{_VERY}{{0,3}}{_WELL_DONE}(?>(?:[又也]?{_VERY}{{0,3}}{_WELL_DONE})*){_AFTER}"
    rf"|(?>{_PEOPLE}{{0,8}})(?:真?是|都是)?好(?:样的|干部|政府|党员|书记|领导|公仆|人){_AFTER}"
    rf"|(?>{_PEOPLE}{{0,8}}){_VERY}{{1,3}}{_GOOD}+{_AFTER}|{_US}?{_VERY}{{0,3}}{_PLEASED}+{_AFTER}"
    # By itself 快 urges and 负责 demands.
    rf"|(?!快|负责){_GOOD}+{_AFTER}"
    rf"|(?>(?:[我给为向]|值得|提出|必须|{_PEOPLE}){{0,8}})(?:点个?赞|赞一个|(?:五星)?好评|表扬){_AFTER}"
    rf"|(?>(?:{_FOR_US}|{_PEOPLE}){{0,8}})[办做干]了?[一件大]*[实好]事{_AFTER}"
    rf"|(?:{_VERY}|very )?(?:good|great|nice|perfect)"
)

_SOON = (
    r"(?:(?:很快|(?:马上|立马)(?=就?(?>(?:有人|派人|安排人?){0,8})(?:上门|过?来))|立即|立刻|及时|当天|当晚|第二天|次日|连夜|半天|(?:半个?|[一两二三123]个?)小时|[一两二三123]天)内?就?"
    r"|(?:今天|昨天|前天)就?|现在|目前|终于|总算|已经?|全部|都|也|彻底)"
)
# 就好了, 快好了 and 通水 without 了 wish for it, and 问题来了 announces one: they are not among them.
_DONE = (
    r"(?:(?:解决|处理|维修|清理|疏通|协调|修|办|换|装|补)(?:好|完|妥|复|通|干净|到位)?了|[弄搞整接做]好了|修[好复]"
    r"|(?:(?<=已)|(?<=已经))(?:(?:得到)?解决|处理|办[结好理]|恢复|到账|落实|完成|通[水电气车网])"
    r"|(?:(?<=[水电气网])|(?<=[水电气网][都也已])|(?<=[水电气网](?:已经|现在)))[来有]了"
    r"|通[水电气车网路]?了|[来有][水电气网]用?了|亮了|恢复(?:了|正常)|正常了|(?<![就快])好了|落实了|到[位账]了|拿到了|发了|清了|干净了)"
)
_HAVE_IT = r"(?:通[水电气车网路]了|[来有][水电气网]用?了|(?:拿|领|收)到了)"
_SOLVED = (
    rf"(?>(?:{_OUR_THING}|{_PEOPLE}|{_THING}|有人|派人){{0,8}})(?>{_SOON}{{0,8}})(?>(?:有人|派人|{_PEOPLE}){{0,8}})(?>{_SOON}{{0,8}}){_FOR_US}?(?:上门|过?来)?{_FOR_US}?{_DONE}"
    rf"{_OF_OURS}{_AFTER}|{_US}(?>{_SOON}{{0,8}}){_HAVE_IT}{_AFTER}"
)
_WISHES = rf"祝?(?>{_PEOPLE}{{0,8}})(?:工作顺利|(?:节日|新年)(?:快乐|好)|身体健康|万事如意|阖家幸福|(?:好人)?一生平安)"
_MANNERS = (
    r"(?:好|可以|行)的?|收到|知道了|对[头的]?|是的|嗯++|ok|yes|satisfied|(?:[您你]们?|领导|大家)好(?!\w)"
    r"|(?:希望)?继续(?:保持|努力|加油)|再接再厉|加油"
    rf"|{_WISHES}"
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
# Good enough for whoever says it of a 3: 可以了. Then what is neither, where nothing else is said.
_LAST_WORDS = r"[了的吧啊哈嘛哦噻呀]*"
_NONE = r"(?:没得?|没有|莫得|冇|无)(?:什么|啥子?|哪样|么子|任何)?"
_NOTHING_WRONG = (
    rf"(?:{_NONE}(?:别的|其[他它])?(?:问题|意见|话说|说的|毛病|关系|要求|异议|事)|{_NONE}(?:别的|其[他它])|没(?:得|的|啥|什么)说"
    r"|(?:问题|意见)[都也]?(?:没有|没得|莫得|冇))"
)
_ENOUGH = (
    rf"(?>(?:现在|目前|今天|已经?|这下|这边|这里|我们?|家里|[水电灯路家]|都|也|就|算|还|{_VERY}){{0,8}})"
    rf"(?:可以|行|要得|得行|ok++|okay|好|不错|{_NOTHING_WRONG}|莫来头|不要紧|不碍事|搞定|归一|过得去|不怪[您你]们?|[能可]?以?(?:理解|体谅)(?>{_PEOPLE}{{0,8}})"
    rf"|(?:支持|相信|拥护)(?>{_PEOPLE}{{0,8}})|雄起|(?:最|很)高分|[五三]星|一百分|祝好|让?(?>{_PEOPLE}{{0,8}})(?:费心|操心|有劳|难为|劳慰)(?>{_PEOPLE}{{0,8}})|yes|q){_LAST_WORDS}"
    rf"|(?>{_THING}{{1,8}})(?:够用?|足|清|平|宽)了"
)
# What this is and how one answers is asked by who does not know what they chose.
_PUZZLED = (
    r"(?>(?:请问|我们?|这|那|个|是|也|都|你们?发的){0,8})(?:(?:什么|啥子?|么子)(?:意思|短信|信息|东西)?|(?:怎么|咋个?|啷个|如何)(?:回复?|选|评价?|填|弄|操作|发)"
    r"|不(?:懂|晓得|知道|清楚|明白|识字|认字|会(?:弄|选|发|回复?|操作|打字)?)|不(?:晓得|知道)(?:怎么|咋个?|啷个)(?:回复?|选|评价?|填|弄)|[看听弄搞]不(?:懂|明白|清楚?|来))"
)
_HARDLY_ANYTHING = re.compile(
    rf"(?:{_PUZZLED}|收到|知道|晓得|嗯++|哦++|一般般?|差不多|无所谓|随便|将就|凑合|马马虎虎|勉强|正常|习惯|加油|(?:希望)?(?:继续|再)(?:保持|努力|加油)"
    r"|再接再厉|稍?等(?:一下|哈|会)?|[你您]?是?(?:谁|哪[个位])|在吗|测试|test|哈++|6++|厉害|牛[批逼叉x]?|了不起|强|manyi"
    r"|玫瑰|鼓掌|爱心|胜利|握手|拥抱|微笑|憨笑|呲牙|可爱|鲜花|偷笑|抱拳|太阳|good|不用(?>(?:再|你们){0,8})(?:来|修|管|麻烦|处理|回访|打电话)?"
    rf"|[给打]?(?>{_PEOPLE}{{0,8}})(?:\d+|[一三五十])分|基本上?(?:解决|修好|处理|好)|好人好事"
    r"|(?>(?:已经?|今天|昨天|刚刚?|都|也|上午|下午){0,8})(?:有人|派人|[你他]们|师傅|人)?(?:过?来)?(?:修|弄|搞|处理|办|整)过?了|(?:有人|派人)?来(?:了?人|过人?)?了?"
    rf"|(?:正?在|马上|准备)(?:修|处理|弄|办|整)中?|请忽略){_LAST_WORDS}",
    re.IGNORECASE,
)
_ALL_IS_WELL = re.compile(
    rf"(?>(?:{_SOLVED}|{_THANKS}|{_PRAISE}|{_WISHES})+)|{_ENOUGH}", re.IGNORECASE
)
_THANKS_ONLY = re.compile(rf"(?>(?:{_THANKS})+)", re.IGNORECASE)
_GREETING = re.compile(r"[您你]们?好|领导好|大家好")
# The same in the midst of other words, as in 把水弄通了. 需要得到, 通知 and 最好 only contain it.
_GOOD_NEWS = re.compile(
    r"解决(?:好|完)?了|已经?(?:全部|都)?(?:解决|处理|恢复|通(?!知)|办[好理结妥完])|[修弄搞整办装换接]好|修复|处理好|(?<!最)好了"
    r"|(?<![打沟])通[水电气车网路]?了|[来有][水电气网]用?了|[水电气网](?![费表管])[^没未不莫又费]{0,4}[来有]起?了|恢复(?:了|正常|供)|正常了|(?:供[水电气]|一切)正常"
    r"|亮(?:起来|起)?了|不(?:再)?(?:漏|臭|堵|停|吵|欠|闹|淹|黑|跳闸|断)[水电气网]?了|(?<![不就])可以了(?![解结])|(?<![不就进执举施实运银同])行了(?![解结])|ok了"
    r"|搞定|归一了|(?:领|拿|收)到(?:钱|工资|款|手)?了|(?:钱|工资|款|补[贴助])(?:都|已经?)?(?:发|到)(?:下来)?了|到[位账]了|落实了|兑现了|结清了|感谢|谢谢|多谢|感恩|(?<![很太好])辛苦[了您你]"
    r"|[很真挺太都]好(?![久多几])|非常好|好[得的]很|[做干办修]得好|好评|点个?赞|表扬|优秀|完美|给力|不错|[很真]快|及时|认真负责"
    r"|(?:噪[音声]|声音|臭味?|异味|味道?|积水|污水|油烟|垃圾)(?:都|也|已经)?(?:没有?|没得|莫得|冇)了|(?:没有|没得|莫得)(?:噪[音声]|臭味|异味|积水)了"
    r"|[装安换接补修](?:上|起)了|垃圾[^没未不]{0,3}[拉运清拖]走了|批了$|[办批]下来了|退[钱款]了|赔(?:偿|钱)?了|道歉了"
    rf"|巴适|安逸|(?<!需)要得(?!到)|满分|(?<!\d)100分|{_NONE}(?:问题|意见|话说|毛病)(?![解结])|没(?:得|有)?(?:啥子?|什么)?事了(?![解结])",
    re.IGNORECASE,
)
# What makes it no good news, in the same clause. Before it: 没解决, 说修好了, 希望及时处理; 就 and 已 begin anew, as in
# 没几天就修好了. Behind it: 修好又坏了, 解决了一半, 要得个屁.
_DENIED = re.compile(
    r"(?:[没未无难莫冇谁哪啥请望盼要]|不(?!过)|非(?!常)|等(?!了)|(?<!都)说|何时|几时|什么|多久|怎么|如果|应该)[^就已]{0,30}$"
)
_SPOILT = re.compile(
    r"[又却但没坏停断漏堵差更才吗吧]|不(?![尽错])|再次|还是|个[屁鬼啥]|[几一两三四五]天|一[半会下]"
)
# A closing 谢谢 behind what is asked for is manners: 不满意，请尽快来修，谢谢. From the first such word of a line on, so that
# the line is read once.
_ASKED_FOR = re.compile(
    r"(?m:^)(?>.*?(?:请(?!放心)|希望|麻烦|求)).*(?:尽快|早[日点]|快点|赶[快紧]|抓紧|重新|再来|来[人修看]|解决|处理)"
)
# 不满意：无 fills in a form, 不满意，没有的事 takes it back.
_NOTHING_TO_IT = re.compile(
    r"(?>(?:[那这倒也是都可并]|暂时?|目前|现在){0,8})(?:无|没得?|没有|木有|冇|莫得|不是|不会|不可能|不存在|不至于|[谈说算]不上|没这回事|没有的事|怎么可能"
    r"|哪有|才怪|才?是?假[的话]?)(?:不满意?)?[的啊了吧呢呀哦哈]*"
)
_MISTAKE = re.compile(
    r"[按发打点写输选回][错反]|反话|反着|开玩笑|骗你|逗你|手误|手滑|误[按触点发]|不小心[按点发打写选]|(?:小孩|娃儿?|孙[子儿])(?:乱|瞎)?[按发点打]|我[搞弄看]错"
    r"|(?:我们?|本人)[从来根本并]*(?:没有?|没得|未)(?:反映|投诉|举报|报|提|打)过|不是(?:我们?|本人)(?:反映|投诉|举报|报|提|打)|不是(?:本人|机主|户主)|[机号户]主.{0,4}[换死]|认错人"
)
# As it is typed or heard: 水来咯, 以经修好.
_AS_WRITTEN = str.maketrans("啦咯喽啰哒嘞勒", "了" * 7)
_ALREADY = re.compile(r"[己以](?=经|解决|修|通|处理|办|恢复)")


def agreed_remark(again: str, *, mildly: bool) -> str:
    """The pattern of what may follow 满意 or, `mildly`, 基本满意. `again`: the ways of saying the same answer once more."""
    phrases = "|".join([again, _SOLVED, _THANKS, _PRAISE, _MANNERS, *([_MILD] if mildly else [])])
    # A phrase once taken is not taken back: reading stays quick, whatever was written.
    return rf"(?>(?:{phrases}|[\W_]+)*)"


def doubted(words: str) -> bool:
    """Whether a sign anywhere in the text may take 满意 back: a question mark, 🙄, :(."""
    return _STRANGE.search(words) is not None


def says_all_is_well(words: str, remark: str) -> bool:
    """Whether somebody who chose 不满意 goes on as the satisfied do, or takes it back."""
    remark = _ALREADY.sub("已", remark.translate(_AS_WRITTEN))
    clauses = [one for one in _CLAUSES.split(remark) if one and not _GREETING.fullmatch(one)]
    if _ASKED_FOR.search(remark):
        clauses = [one for one in clauses if not _THANKS_ONLY.fullmatch(one)]
    return (
        _APPLAUDS.search(words) is not None
        or _MISTAKE.search(remark) is not None
        or bool(clauses and _NOTHING_TO_IT.fullmatch(clauses[0]))
        or any(_ALL_IS_WELL.fullmatch(one) or _good_news(one) for one in clauses)
        or bool(clauses and all(_HARDLY_ANYTHING.fullmatch(one) for one in clauses))
    )


def _good_news(clause: str) -> bool:
    return any(
        not _DENIED.search(clause[max(0, found.start() - 32) : found.start()])
        and not _SPOILT.search(clause[found.end() :])
        for found in _GOOD_NEWS.finditer(clause)
    )
