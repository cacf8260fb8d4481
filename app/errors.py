"""Everything that can be wrong with a request, as problems (RFC 9457). Knows no HTTP framework.

A problem tells people what is wrong and what to do, in Chinese, and machines the facts as members.
docs/problems.md is generated from the classes here.
"""

from typing import ClassVar


class Problem(Exception):
    """One kind of thing that can be wrong; `type` is stable and part of the API."""

    type: ClassVar[str] = "problem"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "请求有误"
    detail: ClassVar[str] = "请检查后重试。"

    def __init__(
        self, detail: str | None = None, *, retry_after: int | None = None, **facts: object
    ) -> None:
        super().__init__(detail or self.detail)
        self.told = detail or self.detail
        self.retry_after = retry_after
        self.facts = facts


class InvalidInput(Problem):
    type = "invalid-input"
    status = 422
    title = "填写的内容有误"
    detail = "请按提示修改后再提交。"


class MalformedRequest(Problem):
    type = "malformed-request"
    status = 400
    title = "请求格式有误"
    detail = "请求的内容无法读取，请检查格式。"


class SignInRequired(Problem):
    type = "sign-in-required"
    status = 401
    title = "请先登录"
    detail = "登录已失效或尚未登录，请重新登录。"


class WrongCredentials(Problem):
    type = "wrong-credentials"
    status = 401
    title = "登录失败"
    detail = "账号或密码不正确。"


class WrongCode(Problem):
    type = "wrong-code"
    status = 401
    title = "验证码不正确"
    detail = "验证码不正确或已失效，请核对或重新获取。"


class WrongPin(Problem):
    """The same for every reason: wrong, used up, revoked, of another device, or never there."""

    type = "wrong-pin"
    status = 401
    title = "PIN 不正确"
    detail = "PIN 不正确或已不能使用。连续输错 5 次后，请用密码登录。"


class NotPermitted(Problem):
    type = "not-permitted"
    status = 403
    title = "没有权限"
    detail = "您的岗位不能进行此操作。"


class OtherPost(Problem):
    """The page shows one of the person's posts, and the session acts in another: switched in a second tab, or since it was written."""

    type = "other-post"
    status = 403
    title = "岗位已切换"
    detail = "您的登录已切换到另一个岗位，这一操作没有生效。请刷新页面，或切换回原来的岗位再办。"


class CrossSite(Problem):
    """A browser was made to ask by a page that is not ours, or does not say by which."""

    type = "cross-site-request"
    status = 403
    title = "无法确认请求的来源"
    detail = "无法确认这一操作来自本系统的页面，没有生效。请关闭其他网页，从本系统的页面重新操作。"


class NotFound(Problem):
    """Also given for what exists but is not the asker's: the two must not be told apart."""

    type = "not-found"
    status = 404
    title = "未找到"
    detail = "没有找到，或您无权查看。请核对编号。"


class ActionNotAllowed(Problem):
    """The case's present state does not allow the action; `allowed` lists what the asker may do now."""

    type = "action-not-allowed"
    status = 409
    title = "当前不能进行此操作"
    detail = "事件状态已变化，请刷新后查看可进行的操作。"


class NobodyMaySee(Problem):
    """A sealed case never goes to a unit where nobody may see it."""

    type = "nobody-may-see-it"
    status = 409
    title = "没有人可以接手"
    detail = "这件事须保密，接收单位现在没有可以查看它的人员，不能移交。"


class StoredDataUnreadable(Problem):
    """A stored number, name or text was changed in the database; `qungong verify` names where."""

    type = "stored-data-unreadable"
    status = 409
    title = "保存的内容无法读取"
    detail = "数据库中保存的内容被改动过，无法读取，您的操作没有生效。请联系系统管理员运行 qungong verify 核对。"


class AccusationOfOwnLine(Problem):
    """The accused is the typist's own unit, or one above or below it: it would learn of the accusation."""

    type = "accusation-of-own-line"
    status = 403
    title = "本单位不能登记这件检举控告"
    detail = (
        "被检举控告的是您任职的单位或其上下级，不能由您登记。"
        "请反映人用自己的手机扫海报上的二维码反映（本单位看不到），或直接向纪检监察机关反映。"
    )


class AccusationUnconfirmed(Problem):
    """What staff must know before they type an accusation for a citizen; sent again with `accusation_confirmed` it is taken."""

    type = "accusation-unconfirmed"
    status = 409
    title = "登记检举控告前请先确认"
    detail = (
        "检举控告保密办理：登记后本单位看不到它，也没有编号和查询码，内容不得外传。"
        "被检举控告的是本单位或其上下级的，请不要在这里登记，请反映人用自己的手机扫海报上的二维码反映，"
        "或直接向纪检监察机关反映。确认不涉及后再提交。"
    )


class AssistantsOpen(Problem):
    type = "assistants-open"
    status = 409
    title = "协办单位尚未答复"
    detail = "还有协办单位没有答复，请先催其答复，或由指挥中心免予协办。"


class Changed(Problem):
    """Somebody else changed it since it was read (If-Match)."""

    type = "changed-meanwhile"
    status = 412
    title = "内容已被他人更新"
    detail = "您查看之后内容已被更新，请刷新后再提交。"


class NothingChanged(Problem):
    """A new version that says nothing new would have everything recomputed for nothing."""

    type = "nothing-changed"
    status = 409
    title = "内容没有变化"
    detail = "所填内容与现有内容相同，没有生成新的版本。"


class KeyReused(Problem):
    type = "idempotency-key-reused"
    status = 422
    title = "重复提交的编号已用于其他内容"
    detail = "同一个 Idempotency-Key 只能用于同一内容，请为新内容换一个。"


class KeyRequired(Problem):
    type = "idempotency-key-required"
    status = 400
    title = "缺少 Idempotency-Key"
    detail = "请在请求头中带上 Idempotency-Key，以免重复提交。"


class TooMany(Problem):
    type = "too-many-requests"
    status = 429
    title = "操作过于频繁"
    detail = "请稍后再试。"


class RequestTimeout(Problem):
    """The rest of a request did not arrive in time; the connection is closed."""

    type = "request-timeout"
    status = 408
    title = "提交超时"
    detail = "网络太慢，提交没有完成，请到信号好的地方再试一次。"


class TooLarge(Problem):
    type = "too-large"
    status = 413
    title = "内容过大"
    detail = "提交的内容超过了允许的大小。"


class NotJson(Problem):
    type = "not-json"
    status = 415
    title = "内容的类型不受支持"
    detail = "请以 JSON 格式（Content-Type: application/json）提交，照片以表单上传。"


class MethodNotAllowed(Problem):
    type = "method-not-allowed"
    status = 405
    title = "不支持的请求方法"
    detail = "该地址不支持此请求方法。"


class Unavailable(Problem):
    """The database is away or busy; nothing was changed, and the same request may be sent again."""

    type = "temporarily-unavailable"
    status = 503
    title = "系统繁忙"
    detail = "系统暂时繁忙，您的操作没有生效，请稍后重试。"


class Unexpected(Problem):
    type = "unexpected"
    status = 500
    title = "系统出错"
    detail = "系统出现错误，您的操作没有生效。请稍后重试或联系管理员。"


def kinds() -> list[type[Problem]]:
    """Every kind of problem there is, in the order written here."""
    return Problem.__subclasses__()
