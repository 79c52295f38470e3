#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# documents.py SCHEMA FILE: validate each JSON document in the file, which has them one after
# another, against the schema. Fail if one is not valid, or if there is none.

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)

with open(sys.argv[2], encoding="utf-8") as file:
    text = file.read()

decoder = json.JSONDecoder()
number = 0
bad = 0
text = text.strip()
place = 0
while place < len(text):
    document, place = decoder.raw_decode(text, place)
    while place < len(text) and text[place].isspace():
        place += 1
    number += 1
    for error in validator.iter_errors(document):
        bad += 1
        path = "/".join(map(str, error.path))
        print(f"{sys.argv[2]}: document {number}: {path}: {error.message}", file=sys.stderr)
print(f"{number} documents of nmrctl, {bad} faults", file=sys.stderr)
sys.exit(0 if number and not bad else 1)
