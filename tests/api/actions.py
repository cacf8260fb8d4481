"""A well-formed body for every action that staff may take."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.clock import SHANGHAI, process_now

_SOON = (process_now().astimezone(SHANGHAI) + timedelta(days=14)).date()
BODIES: Mapping[str, Mapping[str, Any] | None] = {
    "request-supplement": {"missing": "房屋编号"},
    "supply": {"supplement": "13栋"},
    "add": {"addition": "12栋也没有水"},
    "decline": {"reason": "已进入诉讼", "basis": "《信访工作条例》"},
    "object-refusal": {"reason": "没有诉讼"},
    "handle": None,
    "escalate": {"finding": "本级无法解决"},
    "send-down": {"to_code": "500153003", "reason": "属街道职责"},
    "dispatch": {
        "lead": {"unit_code": "500153100", "task": "恢复供水", "days": 7},
        "assistants": [{"unit_code": "500153D11", "task": "检修管网"}],
        "note": "一周内办结",
    },
    "sign": None,
    "hand-back": {"reason": "不在本镇"},
    "settle": {"unit_code": "500153100", "agreed": True, "reason": "核查权属"},
    "progress": {"report": "已找到漏点", "tell_reporter": True},
    "assist-answer": {"answer": "管网已修复"},
    "change-lead": {"lead": {"unit_code": "500153D11", "task": "更换主管"}, "reason": "权属有变"},
    "add-assistants": {"assistants": [{"unit_code": "500153003", "task": "组织送水"}]},
    "excuse": {"unit_code": "500153D11", "reason": "已自行修复"},
    "answer": {"outcome": "solved", "answer": "已恢复供水", "basis": "条例"},
    "close": None,
    "press": {"note": "请尽快"},
    "instruct": {"instruction": "今日先送水"},
    "merge": {"primary_ref": "500153-261122-00000000", "reason": "同一小区"},
    "withdraw": {"reason": "已自行解决"},
    "extend": {"days": 5, "reason": "主管更换须停水施工"},
    "decide-extension": {"granted": True, "reason": "施工要避开高考"},
    "wait": {"why": "suspended", "reason": "列入管网改造", "until": str(_SOON)},
    "decide-wait": {"granted": True, "reason": "列入管网改造"},
    "resume": {"note": "改造已完成"},
    "supervise": {"demand": "三日内恢复供水", "days": 3},
    "reply-supervision": {"reply": "昨晚恢复供水"},
    "list": {"reason": "停水五日"},
    "unlist": {"reason": "整改到位"},
    "recategorise": {"kind": "complaint", "reason": "群众投诉的是物业"},
    "ask-review": {"reason": "五楼以上仍没有水"},
    "decide-review": {"outcome": "upheld", "reason": "水压已达标准"},
    "ask-reexamination": {"reason": "仍没有水"},
    "decide-reexamination": {"outcome": "upheld", "reason": "水压已达标准"},
}
