"""A phone that shows one post sends nothing in another."""

from tests.api.test_acting_post import is_other_post, showing
from tests.mobile.conftest import NewPhone, a_picture
from tests.mobile.test_cadre import ON_BEHALF
from tests.mobile.test_staff_on_phones import on_phone


async def test_phone_sends_neither_case_nor_photo_in_another_post(new_phone: NewPhone) -> None:
    phone = await on_phone(new_phone, "jianzhi")
    told = (await phone.get("/cadre/me")).json()
    other = next(one["id"] for one in told["posts"] if one != told["post"])
    keyed = {"Idempotency-Key": "acting-post-on-a-phone", **showing(other)}
    refused = await phone.client.post("/m/v1/cadre/cases", json=ON_BEHALF, headers=keyed)
    assert is_other_post(refused)
    files = {"photo": ("a.jpg", a_picture(), "image/jpeg")}
    photo = await phone.client.post("/m/v1/photos?as=staff", files=files, headers=keyed)
    assert is_other_post(photo)
