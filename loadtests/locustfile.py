"""A county's day for locust: cadres who enter and escalate, clerks and dispatchers at their lists, residents who look.

`locust -f loadtests/locustfile.py -H http://127.0.0.1:8000` beside a running `make run`; only against machines of one's own.
Start that with `REPORTS_OF_STAFF="100000/h 100000/d"`: a few cadres stand for many.
"""

import secrets
from typing import Any

from locust import FastHttpUser, between, task
from typing_extensions import override

PASSWORD = "qungong-2026"  # noqa: S105 - the sample county's published password
FINDING = {"finding": "本级没有维修能力"}
# What residents have been told, to look it up.
told: list[tuple[str, str]] = []


class Staff(FastHttpUser):
    """Signs in once, as the account of the class."""

    abstract = True
    wait_time = between(1, 5)
    account = ""

    @override
    def on_start(self) -> None:
        answer = self.client.post(
            "/api/v1/sessions", json={"account": self.account, "password": PASSWORD}
        )
        self.token = answer.json()["token"]

    def asked(self, method: str, path: str, name: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": secrets.token_hex(8)}
        return self.client.request(method, path, name=name, json=body, headers=headers).json()


class Cadre(Staff):
    """Enters what was told, and sends on what the village cannot solve."""

    weight = 5
    account = "gongnong"

    @task(3)
    def register(self) -> None:
        person = {"name": "王大爷", "phone": f"138{secrets.randbelow(10**8):08d}"}
        body = {
            "title": "路灯不亮",
            "body": "村口的路灯坏了一个月。",
            "kind": "help",
            "person": person,
        }
        case = self.asked("POST", "/m/v1/cadre/cases", "cadre registers", body)
        told.append((case["ref"], case["tracking_code"]))
        self.asked("POST", f"/m/v1/cadre/cases/{case['ref']}/escalate", "cadre escalates", FINDING)

    @task(1)
    def inbox(self) -> None:
        self.asked("GET", "/m/v1/cadre/cases?view=to_judge", "cadre's inbox")


class Clerk(Staff):
    """Works through the township's list."""

    weight = 2
    account = "guangshun"

    @task
    def judge(self) -> None:
        page = self.asked("GET", "/api/v1/cases?view=to_judge", "clerk's inbox")
        for case in page["items"][:1]:
            self.asked("GET", f"/api/v1/cases/{case['ref']}", "clerk opens a case")
            self.asked("POST", f"/api/v1/cases/{case['ref']}/escalate", "clerk escalates", FINDING)


class Resident(FastHttpUser):
    """Follows a case with its number and tracking code."""

    weight = 3
    wait_time = between(2, 8)

    @task
    def track(self) -> None:
        if told:
            ref, code = secrets.choice(told)
            self.client.post("/m/v1/track", name="resident looks", json={"ref": ref, "code": code})
