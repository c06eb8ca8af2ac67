"""What tests tell the server, under /_control/."""

import clock


def set_jobs(world, data):
    world.jobs.pending_polls = data.get("pending_polls", 0)
    world.jobs.failures = data.get("failures", [])


def set_type(world, data):
    fields = world.catalog.table(*data["table"]).fields
    *parents, name = data["field"].split(".")
    for parent in parents:
        fields = next(f for f in fields if f["name"] == parent)["fields"]
    next(f for f in fields if f["name"] == name)["type"] = data["type"]


def set_tokens(world, data):
    world.tokens.revoke_all()
    world.tokens.lifetime = data.get("lifetime", 3600)


def set_faults(world, data):
    world.faults = data


def tables(world, _):
    return [{"table": t.name, "expirationTime": t.expiration, "rows": len(t.rows)} for t in world.catalog.tables.values()]


VERBS = {
    "reset": lambda world, _: world.reset(),
    "faults": set_faults, "jobs": set_jobs, "type": set_type, "tokens": set_tokens,
    "clock": lambda world, data: clock.move(data["seconds"]),
    "credentials": lambda world, _: world.tokens.account,
    "requests": lambda world, _: world.requests,
    "tables": tables,
}


def control(world, path, data):
    verb, *name = path.removeprefix("/_control/").split("/")
    if name:
        return world.catalog.table(*name).rows
    return VERBS[verb](world, data)
