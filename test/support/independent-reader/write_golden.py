"""Writes golden bytes without any code of imwatch: <Record>.v<N>.hex from <Record>.v<N>.json and the record's schema.

    npm run golden -- [NAME…] [--check]

NAME is a record (its newest version that has a .json) or one version of it (MessageEvent.v2). Without one every .json that
has no .hex yet gets one. The schema is schemas/history/<Record>.v<N>.avsc, or today's schemas/avro/<Record>.avsc while that
version is not released. Golden bytes that exist are never replaced: the script fails when they would be others; --check
writes nothing and compares all.
"""
import io
import json
import pathlib
import re
import sys

import fastavro

root = pathlib.Path(__file__).resolve().parents[3]
vectors = root / "test/vectors/avro"
wire_header = bytes([0, 0, 0, 0, 1])
digits_per_line = 96


def require(condition, message):
    if not condition:
        sys.exit(message)


def vector_names():
    names = [path.name[: -len(".json")] for path in vectors.glob("*.v*.json")]
    return sorted(names, key=lambda name: (name.split(".v")[0], int(name.split(".v")[1])))


def schema_of(name):
    record, version = name.split(".v")
    released = root / f"schemas/history/{record}.v{version}.avsc"
    return fastavro.parse_schema(json.loads((released if released.exists() else root / f"schemas/avro/{record}.avsc").read_text()))


def value_of(json_value):
    """A value as JSON has it, bytes as Node's Buffer prints them."""
    if isinstance(json_value, dict):
        if set(json_value) == {"type", "data"} and json_value["type"] == "Buffer":
            return bytes(json_value["data"])
        return {name: value_of(each) for name, each in json_value.items()}
    return [value_of(each) for each in json_value] if isinstance(json_value, list) else json_value


def hex_of(name):
    value = value_of(json.loads((vectors / f"{name}.json").read_text()))
    schema = schema_of(name)
    unknown = set(value) - {field["name"] for field in schema["fields"]}
    require(not unknown, f"{name}.json has {sorted(unknown)}, which its schema has not")
    # A default in place of a value that was forgotten would make golden bytes that show nothing.
    missing = {field["name"] for field in schema["fields"]} - set(value)
    require(not missing, f"{name}.json lacks {sorted(missing)}")
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, value)
    digits = (wire_header + body.getvalue()).hex()
    return "".join(digits[at : at + digits_per_line] + "\n" for at in range(0, len(digits), digits_per_line))


def chosen(wanted):
    names = vector_names()
    if not wanted:
        return names
    found = []
    for name in wanted:
        versions = [each for each in names if each == name or re.fullmatch(re.escape(name) + r"\.v\d+", each)]
        require(versions, f"There is no test/vectors/avro/{name}.v<N>.json")
        found.append(versions[-1])
    return found


check = "--check" in sys.argv
wrong = False
for name in chosen([each for each in sys.argv[1:] if each != "--check"]):
    path = vectors / f"{name}.hex"
    text = hex_of(name)
    if path.exists():
        if "".join(path.read_text().split()) != "".join(text.split()):
            print(f"{name}.hex has other bytes than fastavro writes now; golden bytes never change", file=sys.stderr)
            wrong = True
    elif check:
        print(f"{name}.hex is missing", file=sys.stderr)
        wrong = True
    else:
        path.write_text(text)
        print(f"{name}.hex written")
sys.exit(1 if wrong else 0)
