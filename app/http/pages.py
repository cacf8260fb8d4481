"""The few pages that the server itself writes, from templates/: one style sheet, no script inside a page, nothing from elsewhere."""

import base64
import hashlib
from pathlib import Path
from typing import Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1d2129;--soft:#5b6472;--line:#d9dee7;--red:#b3261e;--card:#fff;--ground:#f5f6f8}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a3abb8;--line:#363c47;--red:#ff8a80;--card:#1f232b;--ground:#15181d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.7 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:56rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.6rem;border-left:.3rem solid var(--red);padding-left:.7rem;line-height:1.3}
h2{font-size:1.15rem;margin-top:2.2rem}
p,dd{color:var(--soft)}
a{color:inherit;text-decoration-color:var(--red);text-underline-offset:.2em}
section,details{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem 1rem;margin:.6rem 0}
summary{cursor:pointer;padding:.6rem 0}
section>a{display:inline-block;padding:.6rem 0}
code,pre{font:.86rem/1.6 ui-monospace,"SF Mono",Consolas,monospace}
pre{overflow-x:auto;background:var(--ground);border-radius:.4rem;padding:.7rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line)}
@page{size:A4;margin:2.4cm}
@media print{body{background:#fff;color:#000;font-size:14pt}main{max-width:none;padding:0}p,dd{color:#000}}
"""
# What the content security policy lets through: this text and no other.
STYLE_SOURCE: Final = (
    f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


_templates: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A template of this folder, filled in; all values are text, and escaped."""
    style = Markup(_STYLE)  # noqa: S704 - our own, and the policy above knows its digest
    return HTMLResponse(_templates.get_template(template).render(values, style=style), status)
