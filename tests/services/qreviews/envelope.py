"""One page, with limits, links and messages as django-tastypie 0.15 has them."""

from urllib.parse import urlencode

from store import spoiled

PATH = "/api/client/v2/response"
ORDERS = ("sequence", "-sequence")
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
    order = query.get("order_by", "sequence")
    if order not in ORDERS:
        raise BadRequest(f"No matching '{order.removeprefix('-')}' field for ordering on.")
    after = number_of(query.get("sequence__gt", "-1"), MISMATCH)
    found = store.after(after)
    return found[::-1] if order == "-sequence" else found


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
