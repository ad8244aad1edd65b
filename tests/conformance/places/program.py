"""The nodes of the conformance suite as a program; imports nothing but Python's library."""

import json
import os
import sys
import time


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    asked = json.loads(sys.stdin.readline())
    name, inputs = asked["type"].partition(".")[2], asked["inputs"]
    if name == "echo":
        say(output=inputs["value"])
    elif name == "add":
        say(output=inputs["first"] + inputs["second"])
    elif name == "fail":
        error = {"code": "BUSY", "message": "try later", "retryable": False}
        say(error={**error, "details": {"after": 3}})
    elif name == "spin":
        while True:
            time.sleep(0.01)
    elif name == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os.kill(os.getpid(), 9)
    elif name == "report":
        say(progress=0.25, message="begun")
        say(log="at work", level="warning")
        say(progress=0.75)
        say(output=asked["key"])


if __name__ == "__main__":
    main()
