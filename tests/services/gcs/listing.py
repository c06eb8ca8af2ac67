"""Lists in pages, and answers with some of their fields."""

import base64
import re

from errors import invalid


def page_token(name):
    return base64.urlsafe_b64encode(b"after:" + name.encode()).decode()


def name_of(token):
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        text = ""
    if not text.startswith("after:"):
        raise invalid("Invalid argument.")
    return text.removeprefix("after:")


def list_objects(request, bucket):
    world, query = request.world, request.query
    objects = world.store.bucket(bucket)
    for unknown in ("matchGlob", "versions", "softDeleted"):
        if query.get(unknown, "false") not in ("false", ""):
            raise invalid(f"{unknown} is not known here")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    first, end = query.get("startOffset", ""), query.get("endOffset", "")
    after = name_of(query["pageToken"]) if query.get("pageToken") else ""
    most = min(int(query.get("maxResults", 1000)), world.page_cap)
    items, prefixes, last, more = [], [], "", False
    for name in sorted(objects, key=str.encode):
        if not name.startswith(prefix) or name < first or (end and name >= end):
            continue
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        entry = name if cut < 0 else name[:cut + len(delimiter)]
        if after and (entry <= after or name <= after):
            continue
        if cut >= 0 and entry in prefixes:
            continue
        if len(items) + len(prefixes) == most:
            more = True
            break
        last = entry if cut >= 0 else name
        (prefixes if cut >= 0 else items).append(entry if cut >= 0 else objects[name].resource(world.port))
    out = {"kind": "storage#objects"}
    if prefixes:
        out["prefixes"] = prefixes
    if items:
        out["items"] = items
    if more:
        out["nextPageToken"] = page_token(last)
    return 200, some_fields(out, query.get("fields"))


def parse_fields(text):
    """`a,b(c,d)` as {"a": None, "b": {"c": None, "d": None}}; a slash stands for one member in brackets."""
    out, rest = {}, text
    while rest:
        name = re.match(r"[\w*]+", rest)
        if not name:
            raise invalid(f"Invalid field selection {text}")
        rest, inner = rest[name.end():], None
        if rest.startswith("("):
            depth, at = 0, 0
            for at, letter in enumerate(rest):
                depth += {"(": 1, ")": -1}.get(letter, 0)
                if depth == 0:
                    break
            inner, rest = parse_fields(rest[1:at]), rest[at + 1:]
        elif rest.startswith("/"):
            one = re.match(r"/([\w*]+)", rest)
            inner, rest = {one[1]: None}, rest[one.end():]
        out[name[0]] = inner
        rest = rest.removeprefix(",")
    return out


def some_fields(value, text):
    return value if not text else _select(value, parse_fields(text))


def _select(value, fields):
    if fields is None or "*" in fields:
        return value
    if isinstance(value, list):
        return [_select(one, fields) for one in value]
    return {name: _select(value[name], inner) for name, inner in fields.items() if name in value}
