"""Runs a command, then prints as JSON how much of its memory was resident at most, in bytes.

    python -m bench._peak COMMAND ...

By a process as small as this one, since Linux counts what the parent had ever taken for the child, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def main() -> None:
    process = subprocess.Popen(sys.argv[1:])
    _, status, usage = os.wait4(process.pid, 0)
    print(json.dumps({"rss": usage.ru_maxrss * 1024}))
    sys.exit(os.waitstatus_to_exitcode(status) and 1)


if __name__ == "__main__":
    main()
