"""What every server and every crowd of clients in Python has in common, as parts.mjs for JavaScript: lines of JSON on
stdout, one word a line on stdin."""

import json
import os
import sys
import threading
import time

# The time between two numbered messages, in seconds.
TICK = 0.2

SAYING = threading.Lock()


def say(**event):
    """Prints an event at once."""
    with SAYING:
        print(json.dumps(event), flush=True)


def obey(commands):
    """Does what `commands` has for each word on stdin. Its end is the end of whoever started this."""

    def listen():
        for word in sys.stdin:
            commands.get(word.strip(), lambda: None)()
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()


class Numbers:
    """Numbers by the clock, so that the next server goes on where this one would be."""

    def __init__(self):
        self.last = 0
        self.is_quiet = False

    def next(self):
        """The number whose time has come, if there is one."""
        now = int(time.time() / TICK)
        if self.is_quiet or now == self.last:
            return None
        self.last = now
        return now

    def quiet(self):
        self.is_quiet = True


class Seen:
    """What one client sees."""

    def __init__(self):
        self.ticks, self.sent, self.closes, self.is_open = {}, [], 0, False

    def opened(self):
        self.is_open = True

    def closed(self):
        """Attempts that did not open anything are not counted."""
        self.closes += self.is_open
        self.is_open = False

    def tick(self, number):
        self.ticks.setdefault(int(number), []).append(int(time.time() * 1000))


def crowd(members, quiet=lambda: None):
    """Says `ready` once each of them has had a message, and tells what they saw when it is asked to."""

    def wait():
        while not all(member.ticks for member in members):
            time.sleep(TICK / 4)
        say(event="ready")

    def report():
        for member in members:
            say(event="seen", ticks=list(member.ticks.items()), closes=member.closes, sent=member.sent)
        say(event="reported")

    threading.Thread(target=wait, daemon=True).start()
    obey({"quiet": quiet, "report": report, "end": lambda: os._exit(0)})
