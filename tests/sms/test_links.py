"""What is a link in what people typed, and what only has dots."""

import time

import pytest

from sms.texts import cleaned

PUT = "（链接略）"


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("请看http://a.example/x，谢谢", f"请看{PUT}，谢谢"),
        ("HTTPS://A.EXAMPLE", PUT),
        ("weixin://dl/x请点", f"{PUT}请点"),
        ("javascript://x", PUT),
        ("http://北京.中国，请看", f"{PUT}，请看"),
        ("详见www.rongchang.gov.cn。", f"详见{PUT}。"),
        ("WWW.BAIDU.COM", PUT),
        ("www.大足.中国", PUT),
        ("看baidu.com就知道", f"看{PUT}就知道"),
        ("BAIDU.COM", PUT),
        ("Baidu.Com", PUT),
        ("evil.com.cn/a?b=c", PUT),
        ("a.b-c.cn:8080/x", PUT),
        ("360.cn", PUT),
        ("12306.cn", PUT),
        ("点bit.ly/3xYz领补贴", f"点{PUT}领补贴"),
        ("BIT.LY/3xYz", PUT),
        ("Bit.Ly/3xYz", PUT),
        ("t.me/abc", PUT),
        ("加我t.me", f"加我{PUT}"),
        ("bank-login.top", PUT),
        ("领奖prize.vip", f"领奖{PUT}"),
        ("shop.xyz?id=1", PUT),
        ("abc.li", PUT),
        ("pvc.vc", PUT),
        ("1.evil.com", f"1.{PUT}"),
        ("1.LED灯，2.evil.com", f"1.LED灯，2.{PUT}"),
        ("192.168.1.1:8080/x", PUT),
        ("10.0.0.8/login", PUT),
        ("一.evil.com", f"一.{PUT}"),
        ("two links a.cn b.cn here", f"two links {PUT} {PUT} here"),
        ("xn--fiqs8s.cn", PUT),
        ("（evil.com）", f"（{PUT}）"),
        ("evil.com；其余照旧", f"{PUT}；其余照旧"),
    ],
)
def test_link_is_left_out_and_the_rest_stays(typed: str, left: str) -> None:
    assert cleaned(typed) == left


@pytest.mark.parametrize(
    "typed",
    [
        "1.LED路灯已换新；2.PVC管已换；验收人Mr.Li",
        "约3.5米",
        "No.1泵站",
        "No.12井盖",
        "Mr.Li",
        "mr.li已验收",
        "Mrs.Wu、Ms.Ma、Dr.He",
        "St.Me",
        "2.5G网络，v1.2.3版",
        "2026.11.30起",
        "2026.11.30-12.5",
        "192.168.1.1",
        "水压0.35MPa",
        "DN50.PE管",
        "1.PE管2.PP管3.PPR管",
        "1.CO报警器",
        "2.TV信号",
        "3.IT设备",
        "4.WC已修",
        "5.Me",
        "1.cc",
        "12.top",
        "A.B两区",
        "A.M.9点",
        "e.g.水管",
        "U.S.标准",
        "P.S.请回电",
        "Tel.023-46731234",
        "tel.02346731234",
        "收据IMG.0012.JPG",
        "附件1.doc",
        "3.5*2.0*1.8",
        "张三@李四",
        "发到zhang.san@qq.com",
        "13.4万元/户",
        "路灯1#.2#.3#",
        "第3.2条",
        "完成。.完毕",
        "……好",
        "a..b",
        "0.5.亩",
        "Wi.Fi",
        "K1.2km处",
        "-.-",
        "1:30.2:40",
    ],
)
def test_words_and_figures_with_dots_stay_whole(typed: str) -> None:
    assert cleaned(typed) == typed


def test_links_are_found_in_linear_time() -> None:
    # The first look reads the list of suffixes.
    cleaned("a.cn")
    for piece in ("a.", "a", "+a", "1.", "www.", "a.cn/", "://", "a-", "a:1", "http"):
        began = time.process_time()
        cleaned(piece * 500)
        assert time.process_time() - began < 0.25
