"""Lists of a year as the state would announce it: every holiday off, those on a weekend made good after it."""

from datetime import date, timedelta

from app.calendars.holidays import holidays


def weekdays_off(year: int) -> list[date]:
    """Eleven weekdays: as many as the law gave until 2024."""
    off: set[date] = set()
    for day in sorted(day for days in holidays(year).values() for day in days):
        chosen = day
        while chosen in off or chosen.weekday() >= 5:
            chosen += timedelta(days=1)
        off.add(chosen)
    return sorted(off)


def year_list(year: int) -> str:
    """As CSV, twelve lines with the head."""
    return "date,kind,name\n" + "".join(f"{day},休,放假\n" for day in weekdays_off(year))
