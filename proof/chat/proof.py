"""Restarts a chat server under its members, and adds up what became of every line.

proof.py SERVER CLIENT RESTARTS: the two programs of crates/revoir/examples/chat. Half of the restarts
are of SERVER, with a member on python `websockets` in the room; the other half of a server on python
`websockets`. By turns SIGKILL, which loses what is on its way, and SIGTERM. Prints a page.
"""

import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
RUNS = 5
LINE_GAP = 0.003
SERVER_LINES, CLIENT_LINES = 180, 60


@dataclass
class Server:
    """A server that is started again and again on one port. Its log outlives it."""

    command: list
    log: Path
    process: subprocess.Popen = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log)

    def stop(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=20)

    def lines(self, name):
        """What it saw of a member, in order."""
        prefix = f"lobby {name} "
        lines = self.log.read_text().splitlines()
        return [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]


class Member:
    """A program in the room; what it prints is kept."""

    def __init__(self, command):
        self.printed = []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.reading = threading.Thread(target=self.read)
        self.reading.start()

    def read(self):
        self.printed.extend(line.rstrip("\n") for line in self.process.stdout)

    def leave(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.reading.join()


@dataclass
class Sums:
    """What became of the lines of a client."""

    given: int = 0
    refused: int = 0
    returned: int = 0
    written: int = 0
    seen: int = 0
    unseen_after_kill: int = 0
    unseen_after_term: int = 0
    connections: int = 0
    errors: list = field(default_factory=list)


def settle(sums, given, printed, seen, is_ours):
    """Every line has one fate, and what the server saw agrees with it."""

    def check(is_so, what):
        if not is_so:
            sums.errors.append(what)

    accepted, refused, returned, written = {}, [], [], []
    killed, ended, heard = set(), set(), []
    for text in printed:
        word, _, rest = text.partition(" ")
        if word == "accepted":
            number, line = rest.split(" ", 1)
            check(int(number) not in accepted, f"number twice: {text}")
            accepted[int(number)] = line
        elif word == "refused":
            refused.append(rest.split(":")[0])
        elif word == "returned":
            returned.append(int(rest))
        elif word == "written":
            start, end = re.match(r"(\d+)\.\.(\d+) ", rest).groups()
            numbers = range(int(start), int(end))
            written.extend(numbers)
            (killed if " 1006 " in rest else ended).update(numbers)
        elif word == "connected":
            sums.connections += 1
        elif word == ">":
            heard.append(rest)

    check(sorted(list(accepted.values()) + refused) == sorted(given), "accepted + refused = given")
    check(sorted(written + returned) == sorted(accepted), "written + returned = accepted")
    check(len(set(written)) == len(written), "written twice")
    check(written == sorted(written), "written out of order")
    lines_written = [accepted[number] for number in written if number in accepted]
    in_seen = set(seen)
    check(len(in_seen) == len(seen), "seen twice")
    check([line for line in lines_written if line in in_seen] == seen, "seen what was not written, or out of order")
    unseen = [number for number in written if accepted.get(number) not in in_seen]
    after_kill = [number for number in unseen if number in killed]
    check(not is_ours or len(after_kill) == len(unseen), "lost in an orderly restart")
    sums.given += len(given)
    sums.refused += len(refused)
    sums.returned += len(returned)
    sums.written += len(written)
    sums.seen += len(seen)
    sums.unseen_after_kill += len(after_kill)
    sums.unseen_after_term += len(unseen) - len(after_kill)


def run(server, client, address, number, restarts, sums, is_ours):
    """One client, from its first line to its last, over some restarts."""
    name = f"anna{number}"
    member = Member([client, "lobby", name, address])
    given, stopping = [], threading.Event()

    def give():
        while not stopping.is_set():
            given.append(f"line {len(given)}")
            member.process.stdin.write(given[-1] + "\n")
            time.sleep(LINE_GAP)

    giving = threading.Thread(target=give)
    giving.start()
    for restart in range(restarts):
        time.sleep(random.uniform(0.5, 1.5))
        server.stop(signal.SIGKILL if restart % 2 else signal.SIGTERM)
        if restart + 1 == restarts and number % 2:
            # It leaves while the server is away.
            break
        time.sleep(random.uniform(0, 0.5))
        server.start()
    else:
        time.sleep(2)
    stopping.set()
    giving.join()
    member.leave()
    settle(sums, given, member.printed, server.lines(name), is_ours)
    if server.process.poll() is not None:
        server.start()


def stranger(member, server, errors):
    """A member on python `websockets`: what it heard is what the server saw."""
    log = [line.split(" ", 1)[1] for line in server.log.read_text().splitlines() if line.startswith("lobby ")]
    heard = [line.removeprefix("heard ") for line in member.printed if line.startswith("heard ")]
    at = {line: number for number, line in enumerate(log)}
    places = [at.get(line, -1) for line in heard]
    if -1 in places:
        errors.append("the stranger heard what the server did not see")
    if places != sorted(set(places)):
        errors.append("the stranger heard lines twice or out of order")
    sent = sum(line.startswith("sent ") for line in member.printed)
    seen = len(server.lines("bob"))
    return sent, seen, len(heard)


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % probe.getsockname()[1]


def phase(command, client, restarts, folder, is_ours):
    address = free_address()
    server = Server([*command, address], folder / f"{'ours' if is_ours else 'theirs'}.log")
    server.start()
    bob = None
    sums = Sums()
    try:
        if is_ours:
            bob = Member([sys.executable, HERE / "member.py", f"ws://{address}/rooms/lobby?name=bob"])
        for number in range(RUNS):
            run(server, client, address, number, restarts // RUNS, sums, is_ours)
    finally:
        if bob:
            bob.leave()
        server.stop(signal.SIGTERM)
    return sums, bob and stranger(bob, server, sums.errors)


def lines_of(program):
    source = HERE.parent.parent / "crates/revoir/examples/chat" / f"{program}.rs"
    return len(source.read_text().splitlines())


def main():
    server, client, restarts = sys.argv[1], sys.argv[2], int(sys.argv[3])
    random.seed(15)
    with tempfile.TemporaryDirectory() as folder:
        ours, bob = phase([server], client, restarts // 2, Path(folder), True)
        theirs, _ = phase([sys.executable, HERE / "server.py"], client, restarts // 2, Path(folder), False)
    print("| | server of revoir | server of `websockets` |\n|---|---|---|")
    rows = [
        ("restarts, by turns SIGTERM and SIGKILL", restarts // 2, restarts // 2),
        ("connections of the client", ours.connections, theirs.connections),
        ("lines given to the client", ours.given, theirs.given),
        ("= refused when it was given (more than 200 were kept)", ours.refused, theirs.refused),
        ("+ returned at the end, when the server was away", ours.returned, theirs.returned),
        ("+ written, and in doubt once the connection had ended", ours.written, theirs.written),
        ("of those written: seen by the server, once and in order", ours.seen, theirs.seen),
        ("not seen, SIGKILL", ours.unseen_after_kill, theirs.unseen_after_kill),
        ("not seen, SIGTERM", ours.unseen_after_term, theirs.unseen_after_term),
    ]
    for what, one, other in rows:
        print(f"| {what} | {one:,} | {other:,} |")
    sent, seen, heard = bob
    print(
        f"\nA member on python `websockets` in the room of the first column: {sent:,} lines sent, {seen:,} seen, the\n"
        f"others unknown to it; {heard:,} lines heard, all of them seen by the server, in its order.\n"
        f"\n`examples/chat`: server {lines_of('server')} lines, client {lines_of('client')}."
    )
    errors = ours.errors + theirs.errors
    if lines_of("server") >= SERVER_LINES or lines_of("client") >= CLIENT_LINES:
        errors.append("the examples are too long")
    for error in errors:
        print(f"proof: {error}", file=sys.stderr)
    sys.exit(bool(errors))


main()
