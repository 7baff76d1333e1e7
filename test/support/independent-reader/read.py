"""Reads records in Confluent wire format without any code of imwatch.

Standard input: a base64 text a line. Argument: address of the schema registry. Standard output: the decoded record as JSON,
one a line; times as epoch milliseconds.
"""
import base64
import datetime
import io
import json
import sys
import urllib.request

import fastavro

registry = sys.argv[1]
schemas = {}


def schema_of(schema_id):
    if schema_id not in schemas:
        with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}", timeout=10) as answer:
            schemas[schema_id] = fastavro.parse_schema(json.loads(json.load(answer)["schema"]))
    return schemas[schema_id]


def plain(value):
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(type(value))


for line in sys.stdin:
    record = base64.b64decode(line)
    assert record[0] == 0, "magic byte"
    schema_id = int.from_bytes(record[1:5], "big")
    body = io.BytesIO(record[5:])
    value = fastavro.schemaless_reader(body, schema_of(schema_id))
    assert body.read() == b"", "nothing is left over"
    print(json.dumps(value, default=plain))
