"""The HTTP application as it is served: `uvicorn qungong.asgi:app`."""

from app import garbage_collection

with garbage_collection.paused():
    from app import logs
    from app.api import desk_page
    from app.api.app import MOUNTED_AT as STAFF_AT
    from app.api.app import create_app as staff_app
    from app.http import built_pages
    from mobile_api import cadre_pages, landing
    from mobile_api.app import MOUNTED_AT as PHONES_AT
    from mobile_api.app import create_app as phones_app
    from qungong.composition import compose
    from sms import inbound

    logs.configure()
    app = compose(
        {
            STAFF_AT: staff_app(),
            PHONES_AT: phones_app(),
            # After the phones' interface, which lies within it.
            cadre_pages.MOUNTED_AT: cadre_pages.create_app(),
            desk_page.MOUNTED_AT: desk_page.create_app(),
            landing.MOUNTED_AT: landing.create_app(),
            landing.TRACKING_AT: landing.create_tracking_app(),
        },
        [inbound.router, cadre_pages.bare, desk_page.bare, landing.bare],
        {built_pages.SERVED_AT: built_pages.FOLDER},
    )
