"""Runs the unmodified `nova` client for many commands in one process.

Reads a line of JSON for each, {"argv": [...], "typed": "..."}, and answers one: {"code", "out", "err"}.
"""

import io
import json
import os
import sys
import tempfile

from novaclient import shell

# What programs print that the client starts: they have its descriptors, not its streams.
programs = tempfile.TemporaryFile()
answers = os.fdopen(os.dup(1), "w")
os.dup2(programs.fileno(), 1)


def printed_by_programs():
    programs.seek(0)
    text = programs.read().decode()
    programs.seek(0)
    programs.truncate()
    return text


def run(argv, typed):
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(typed), io.StringIO(), io.StringIO()
    code = 0
    try:
        shell.main(argv)
    except SystemExit as end:
        code = end.code or 0
    finally:
        out, err = sys.stdout.getvalue(), sys.stderr.getvalue()
        sys.stdin, sys.stdout, sys.stderr = streams
    return {"code": code, "out": out + printed_by_programs(), "err": err}


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(run(asked["argv"], asked.get("typed", ""))), file=answers, flush=True)
