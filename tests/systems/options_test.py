"""Every option of every plugin: misspelt, missing, of another type, out of range; each named with its place."""

import json

from harness import BUILD, SystemTest, main

MISTYPED = {"string": [1], "integer": "many", "number": "much", "boolean": "maybe", "array": {"a": 1}, "object": "text"}
OF_TYPE = {"object": {"a": 1}, "array": [1], "boolean": True, "string": "text", "number": 1.5}
SOURCE = "  - {use: files, id: first, with: {path: a.csv, stream: t}}\n"
DECODER = "  - {use: csv.decode, id: rows}\n"
SINK = "  - {use: sqlite, id: last, with: {path: out.db}}\n"
FILES = "  - {use: files, id: last, with: {path: 'copy-${run.id}-{key}'}}\n"


def good_value(name, schema):
    """Something that conforms, where neither default nor example says."""
    if schema.get("secret"):
        return {"secret": "sid"}
    for known in ("default", "const"):
        if known in schema:
            return schema[known]
    for known in ("examples", "enum"):
        if schema.get(known):
            return schema[known][0]
    return {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1), "boolean": True, "array": ["a"],
            "object": {"a": "b"}}.get(schema.get("type"), name)


def wrong_values(schema):
    if schema.get("secret"):
        yield "literal"
    elif "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        yield MISTYPED[types[0]] if len(types) == 1 else next(value for kind, value in OF_TYPE.items() if kind not in types)
    if "enum" in schema:
        yield "nonsense"
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if schema.get("minLength"):
        yield ""
    if schema.get("minItems") or schema.get("minProperties"):
        yield [] if "array" in schema["type"] else {}


class OptionsTest(SystemTest):
    def write(self, component, config):
        """A pipeline around the component; its options stand one a line from line 4 on."""
        options = "".join(f"      {json.dumps(name)}: {json.dumps(value)}\n" for name, value in config.items()) or "      {}\n"
        node = f"  - use: {component['use']}\n    with:\n{options}"
        first = "" if component["kind"] == "source" else SOURCE + (DECODER if component.get("takes") == "rows" else "")
        last = "" if component["kind"] == "sink" else FILES if component.get("gives") == "objects" else SINK
        self.written += 1
        return self.pipeline(f"nodes:\n{node}{last}" if not first else f"nodes: \n{first}{node}{last}", f"p{self.written}")

    def components(self):
        for file in sorted((BUILD / "manifests").glob("*.json")):
            manifest = json.loads(file.read_text())
            for component in manifest["components"]:
                alone = [c["name"] for c in manifest["components"] if c["kind"] == component["kind"]] == [manifest["id"]]
                use = manifest["id"] if alone else f"{manifest['id']}.{component['name']}"
                yield {**component, "use": use}

    def good_config(self, component):
        schema = component["config"]
        config = dict(component.get("conformance", {}).get("config", {}))
        for name in schema.get("required", []):
            config.setdefault(name, good_value(name, schema["properties"][name]))
        return {name: "/tmp/x" if isinstance(value, str) and "${" in value else value for name, value in config.items()}

    def faults(self, component):
        """File, option, and what is done to it."""
        schema, good = component["config"], self.good_config(component)
        for name, option in schema.get("properties", {}).items():
            yield self.write(component, {**good, name + "s": good_value(name, option)}), name + "s", "misspelt"
            for value in wrong_values(option):
                yield self.write(component, {**good, name: value}), name, f"is {json.dumps(value)}"
        for name in schema.get("required", []):
            yield self.write(component, {k: v for k, v in good.items() if k != name}), name, "is missing"
        together = schema.get("not", {}).get("required", [])
        if together:
            both = {name: good_value(name, schema["properties"][name]) for name in together}
            yield self.write(component, {**good, **both}), together[-1], f"stands beside {together[0]}"

    def test_each_is_refused_by_name_and_place(self):
        checked = 0
        for component in self.components():
            with self.subTest(component["use"], kind=component["kind"]):
                self.written = 0
                good = self.patchbay("validate", self.write(component, self.good_config(component)))
                self.assertEqual(good.code, 0, good)
                faults = list(self.faults(component))
                checked += len(faults)
                result = self.patchbay("validate", *[file for file, _, _ in faults])
                self.assertEqual(result.code, 3, result)
                for file, name, what in faults:
                    said = [line for line in (result.out + result.err).splitlines() if f"{file}:" in line and f" {name}" in line]
                    self.assertTrue(said, f"{component['use']}: {name} {what}:\n"
                                    + "\n".join(line for line in (result.out + result.err).splitlines() if file in line))
        self.assertGreater(checked, 150)


if __name__ == "__main__":
    main()
