"""What tests tell this server, under /_control/, beyond what every such server knows."""


def set_jobs(world, data):
    world.jobs.pending_polls = data.get("pending_polls", 0)
    world.jobs.failures = data.get("failures", [])


def set_type(world, data):
    fields = world.catalog.table(*data["table"]).fields
    *parents, name = data["field"].split(".")
    for parent in parents:
        fields = next(f for f in fields if f["name"] == parent)["fields"]
    next(f for f in fields if f["name"] == name)["type"] = data["type"]


def keep(world, data):
    world.catalog.table(*data["table"]).keep(data["keep"])


def tables(world, _):
    return [{"table": t.name, "expirationTime": t.expiration, "rows": len(t.rows)} for t in world.catalog.tables.values()]


VERBS = {"jobs": set_jobs, "keep": keep, "type": set_type, "tables": tables}
