"""Print the schema of config.yaml, or write it where it belongs."""

import sys

import yaml

from wsss_stages.config.options import SCHEMA_FILE, json_schema

text = yaml.safe_dump(json_schema(), sort_keys=False, width=120)
if "--write-schema" in sys.argv:
    SCHEMA_FILE.write_text(text)
else:
    sys.stdout.write(text)
