"""Takes the server away from real clients of a protocol, with and without the gateway before it.

Each protocol has a server and a crowd of clients, which say what happens in lines of JSON (parts.mjs, parts.py).
What a server starts beside itself goes with it.
"""

import contextlib
import json
import os
import queue
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

# How long a server is away, and how long everybody is watched from the moment of its return. A client
# without a gateway that has waited for its own heartbeat comes back late.
AWAY, WATCHED = 2, 20
WATCHED_AFTER_FREEZING = 60

# The exit code if everything was played, and somebody is worse off.
WORSE = 3

# What the gateway adds to a return: its pace (clients per second), and this, in seconds.
RETURN_RATE = 500
GRACE = 0.2


@dataclass
class Protocol:
    name: str
    title: str
    server: list  # The command; the port comes behind it.
    clients: list  # The command; the address and the number of clients come behind it.
    ways: list = field(default_factory=lambda: WAYS)


WAYS = ["killed", "1012", "shutdown", "frozen 5 s", "frozen 60 s"]

# The longest is played beside the others.
LONGEST = "frozen 60 s"

# How often a way is played where clients were disconnected with the gateway and without: when they come back is drawn at
# random, and what they have lost until then with it. All of it counts together.
TIMES_WHERE_DRAWN = 3

# What stands between, and what its route says.
BETWEEN = {"no gateway": None, "auto": 'mode = "auto"', "hold": 'mode = "hold"\nprotocol = "none"'}


class Process:
    """A program that says lines of JSON."""

    def __init__(self, command, folder):
        self.events = queue.Queue()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()

    def read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def wait_for(self, name, limit=90):
        """Events up to one of this name."""
        events, deadline = [], time.monotonic() + limit
        while not events or events[-1]["event"] != name:
            try:
                events.append(self.events.get(timeout=max(0, deadline - time.monotonic())))
            except queue.Empty:
                command = " ".join(map(str, self.process.args))
                raise TimeoutError(f"`{command}` has not said `{name}` within {limit} s") from None
        return events

    def rest(self):
        """Everything else that was said; it has ended."""
        self.process.wait(timeout=30)
        self.reading.join(timeout=30)
        if self.reading.is_alive():
            command = " ".join(map(str, self.process.args))
            raise TimeoutError(f"`{command}` has ended, and something that it started has not")
        return list(self.events.queue)

    def tell(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def signal(self, number):
        """To it, and to what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()


@dataclass
class Figures:
    closes: int = 0
    lost: int = 0
    doubled: int = 0
    after: list = field(default_factory=list)  # Seconds from the return to a client's first message.
    never: int = 0  # Clients that got none.

    def add(self, other):
        self.closes += other.closes
        self.lost += other.lost
        self.doubled += other.doubled
        self.after += other.after
        self.never += other.never


# Below the ports that clients get: while a server is away, nobody else comes by its port.
PORTS = iter(random.sample(range(20000, 30000), 2000))
CHOOSING = threading.Lock()


def free_port():
    with CHOOSING:
        for port in PORTS:
            with socket.socket() as listener:
                try:
                    listener.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    pass
    raise OSError("no port is free")


def until_open(port, limit=60):
    deadline = time.monotonic() + limit
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Run:
    """One protocol, one way, one thing between."""

    def __init__(self, gateway, folder, clients, protocol, between):
        self.gateway, self.folder, self.clients = gateway, folder, clients
        self.protocol, self.between = protocol, between
        self.running, self.said = [], []
        self.port = free_port()

    def start(self, command, name):
        process = Process(command, self.folder)
        self.running.append(process)
        self.said += process.wait_for(name)
        return process

    def serve(self):
        return self.start([*self.protocol.server, str(self.port)], "listening")

    def play(self, way):
        try:
            return self.played(way)
        finally:
            for process in self.running:
                process.end()

    def played(self, way):
        server = self.serve()
        port = self.port
        if BETWEEN[self.between]:
            port = self.start_gateway()
        address = f"http://127.0.0.1:{port}"
        crowd = self.start([*self.protocol.clients, address, str(self.clients)], "ready")
        time.sleep(3)
        server, watched = self.take_away(server, way)
        returned = time.time()
        time.sleep(watched)
        server.tell("quiet")
        crowd.tell("quiet")
        time.sleep(2)
        crowd.tell("report")
        seen = [event for event in crowd.wait_for("reported") if event["event"] == "seen"]
        crowd.tell("end")
        server.signal(signal.SIGKILL)
        self.said += server.rest()
        return self.add_up(seen, returned)

    def start_gateway(self):
        port = free_port()
        folder = tempfile.mkdtemp(dir=self.folder)
        config = Path(folder, "revoir.toml")
        config.write_text(f"""
listen = ["127.0.0.1:{port}"]
access-log = "none"
log = "off"
admin.listen = "unix:{folder}/admin.sock"

[[route]]
upstreams = ["ws://127.0.0.1:{self.port}"]
return-rate = {RETURN_RATE}
{BETWEEN[self.between]}
""")
        gateway = subprocess.Popen(
            [self.gateway, "serve", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.running.append(Started(gateway))
        until_open(port)
        return port

    def take_away(self, server, way):
        """The server that is there afterwards, and how long to watch."""
        if way.startswith("frozen"):
            server.signal(signal.SIGSTOP)
            time.sleep(int(way.split()[1]))
            server.signal(signal.SIGCONT)
            return server, WATCHED if "5 s" in way else WATCHED_AFTER_FREEZING
        if way == "killed":
            server.signal(signal.SIGKILL)
        else:
            server.tell("restart" if way == "1012" else "shutdown")
        self.said += server.rest()
        time.sleep(AWAY)
        return self.serve(), WATCHED

    def add_up(self, seen, returned):
        figures = Figures()
        said = [event for event in self.said if event["event"] == "tick"]
        said = {event["number"] for event in said}
        got = {}
        for event in self.said:
            if event["event"] == "got":
                key = event["client"], event["number"]
                got[key] = got.get(key, 0) + 1
        for index, member in enumerate(seen):
            ticks = {number: times for number, times in member["ticks"]}
            first = min(ticks)
            figures.closes += member["closes"]
            figures.lost += sum(number not in ticks for number in said if number > first)
            figures.doubled += sum(len(times) - 1 for times in ticks.values())
            after = [min(times) / 1000 for times in ticks.values() if min(times) / 1000 > returned]
            if after:
                figures.after.append(min(after) - returned)
            else:
                figures.never += 1
            for number, _ in member["sent"]:
                times = got.get((index, number), 0)
                figures.lost += times == 0
                figures.doubled += max(0, times - 1)
        return figures


class Started:
    """The gateway, which says nothing here."""

    def __init__(self, process):
        self.process = process

    def end(self):
        self.process.kill()
        self.process.wait()


def seconds(figures):
    if not figures.after:
        return "never"
    never = f", {figures.never} never" if figures.never else ""
    return f"{statistics.median(figures.after):.1f} s, {max(figures.after):.1f} s{never}"


def complaints(name, way, clients, alone, auto):
    """In what mode auto is worse than no gateway."""
    pace = clients / RETURN_RATE
    for what in ["closes", "lost", "doubled", "never"]:
        if getattr(auto, what) > getattr(alone, what):
            yield f"{name}, {way}: {getattr(auto, what)} {what}, and {getattr(alone, what)} alone"
    if auto.after and alone.after and max(auto.after) > max(alone.after) + GRACE + pace:
        yield f"{name}, {way}: back after {max(auto.after):.1f} s, alone {max(alone.after):.1f} s"


def play_all(gateway, folder, clients, protocol, between):
    """Every way, with everything that may stand between at the same time."""

    def once(way):
        runs = [Run(gateway, folder, clients, protocol, what) for what in between]
        with ThreadPoolExecutor(len(runs)) as pool:
            played = dict(zip(between, pool.map(lambda run: run.play(way), runs)))
        lost = ", ".join(f"{it.lost} in {seconds(it)}" for it in played.values())
        tell(f"{protocol.name}, {way}: lost {lost}")
        return played

    def play(way):
        played = once(way)
        if played["no gateway"].closes and played["auto"].closes:
            for _ in range(TIMES_WHERE_DRAWN - 1):
                for what, it in once(way).items():
                    played[what].add(it)
            way = f"{way}, {TIMES_WHERE_DRAWN} times"
        return way, played

    with ThreadPoolExecutor(1) as beside:
        longest = [beside.submit(play, way) for way in protocol.ways if way == LONGEST]
        played = [play(way) for way in protocol.ways if way != LONGEST]
        return played + [way.result() for way in longest]


def tell(line):
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def show_load():
    """What waits to run, on average of the last minute: with more than the processors, times are longer."""
    print(f"Played on {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.\n")


def show(gateway, folder, clients, protocol, between=tuple(BETWEEN)):
    """Prints a protocol's table. Returns in what mode auto is worse than no gateway."""
    worse = []
    print(f"## {protocol.title}\n")
    print("| the server | between | closes | lost | doubled | first message after its return: half, all |")
    print("|---|---|---|---|---|---|")
    for way, played in play_all(gateway, folder, clients, protocol, between):
        for what, it in played.items():
            row = [way, what, it.closes, it.lost, it.doubled, seconds(it)]
            print(f"| {' | '.join(map(str, row))} |")
        worse += complaints(protocol.name, way, clients, played["no gateway"], played["auto"])
    print(flush=True)
    return worse


def end(worse):
    """The exit code."""
    for line in worse:
        tell(f"WORSE: {line}")
    return WORSE if worse else 0
