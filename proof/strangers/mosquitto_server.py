"""Debian's mosquitto, with a publisher of paho-mqtt. PORT, for WebSocket."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt
from parts import Numbers, TICK, obey, say

PORT = int(sys.argv[1])
# Nobody else gets those.
OWN = PORT - 10_000
numbers = Numbers()


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def shut_down(broker):
    numbers.quiet()
    broker.send_signal(signal.SIGTERM)
    broker.wait()
    os._exit(0)


def main():
    config = tempfile.NamedTemporaryFile("w", prefix="mosquitto-", suffix=".conf")
    config.write(
        f"listener {PORT} 127.0.0.1\nprotocol websockets\nlistener {OWN} 127.0.0.1\nallow_anonymous true\nlog_type none\n"
    )
    config.flush()
    broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", config.name], stderr=subprocess.DEVNULL)
    while not (is_open(PORT) and is_open(OWN)):
        time.sleep(0.02)
    say(event="listening")
    obey({"quiet": numbers.quiet, "shutdown": lambda: threading.Thread(target=shut_down, args=[broker]).start()})
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", OWN)
    client.loop_start()
    while broker.poll() is None:
        if (number := numbers.next()) is not None:
            sent = client.publish("numbers/all", str(number), 1)
            while not sent.is_published():
                time.sleep(0.002)
            say(event="tick", number=number)
        time.sleep(TICK / 4)
    time.sleep(10)


main()
