"""One page, with limits, links and messages as django-tastypie 0.15 has them."""

from urllib.parse import urlencode

from records import make_record
from store import spoiled

PATH = "/api/client/v2/response"
FIELDS = frozenset(make_record(0, 0))
NEGATIVE = "Invalid {} '{}' provided. Please provide a positive integer >= 0."
MISMATCH = "Invalid resource lookup data provided (mismatched type)."


class BadRequest(Exception):
    """Answered with 400 and {"error": message}."""


def make_page(store, query):
    """The envelope that answers the query, a dict of text."""
    settings = store.settings
    limit, offset = limit_of(query, settings), offset_of(query)
    found = matching(store, query)
    page = found[offset:offset + limit] if limit else found[offset:]
    envelope = {"meta": make_meta(query, settings, limit, offset, len(found))}
    if settings.objects != "missing":
        objects = [spoiled(record, settings) for record in page]
        envelope["objects"] = {"list": objects, "null": None, "object": {}}[settings.objects]
    return envelope


def limit_of(query, settings):
    text = query.get("limit", str(settings.default_limit))
    limit = number_of(text, f"Invalid limit '{text}' provided. Please provide a positive integer.")
    if limit < 0:
        raise BadRequest(NEGATIVE.format("limit", limit))
    cap = settings.page_cap
    return cap if cap and (limit == 0 or limit > cap) else limit


def offset_of(query):
    text = query.get("offset", "0")
    offset = number_of(text, f"Invalid offset '{text}' provided. Please provide an integer.")
    if offset < 0:
        raise BadRequest(NEGATIVE.format("offset", offset))
    return offset


def number_of(text, message):
    try:
        return int(text)
    except ValueError:
        raise BadRequest(message) from None


def matching(store, query):
    check_filters(query)
    found = store.after(number_of(query.get("sequence__gt", "-1"), MISMATCH))
    return found[::-1] if is_descending(query.get("order_by", "sequence")) else found


def check_filters(query):
    """Only sequence__gt is one; what names no field is ignored."""
    for name in query:
        field, *kinds = name.split("__")
        kind = kinds[-1] if kinds else "exact"
        if field in FIELDS and field != "sequence":
            raise BadRequest(f"The '{field}' field does not allow filtering.")
        if field == "sequence" and kind != "gt":
            raise BadRequest(f"'{kind}' is not an allowed filter on the 'sequence' field.")


def is_descending(order):
    field = order.removeprefix("-")
    if field not in FIELDS:
        raise BadRequest(f"No matching '{field}' field for ordering on.")
    if field != "sequence":
        raise BadRequest(f"The '{field}' field does not allow ordering.")
    return order.startswith("-")


def make_meta(query, settings, limit, offset, total):
    """omit_count is the vendor's own: without a count nobody can tell what comes next."""
    counted = query.get("omit_count") != "true"
    meta = {"limit": limit, "next": None, "offset": offset, "previous": None}
    if counted:
        meta["total_count"] = total
    if counted and limit and offset + limit < total:
        meta["next"] = link(query, limit, offset + limit)
    if counted and limit and offset - limit >= 0:
        meta["previous"] = link(query, limit, offset - limit)
    if settings.meta_next == "null":
        meta["next"] = None
    elif settings.meta_next == "wrong":
        meta["next"] = link({}, limit, 10 * total)
    return meta


def link(query, limit, offset):
    rest = {name: text for name, text in query.items() if name not in ("limit", "offset")}
    return f"{PATH}?{urlencode({**rest, 'limit': limit, 'offset': offset})}"
