"""Clients of paho-mqtt over WebSocket, with its defaults. URL COUNT. They subscribe upon `on_connect`, as its documentation has
it."""

import sys
import threading

import paho.mqtt.client as mqtt
from parts import Seen, crowd

PORT, COUNT = int(sys.argv[1].rpartition(":")[2]), int(sys.argv[2])


def start(seen):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets")
    client.ws_set_options(path="/mqtt")

    def connected(*_):
        seen.opened()
        client.subscribe("numbers/#", 1)

    client.on_connect = connected
    client.on_disconnect = lambda *_: seen.closed()
    client.on_message = lambda _client, _data, message: seen.tick(message.payload)
    client.connect("127.0.0.1", PORT)
    client.loop_start()


members = [Seen() for _ in range(COUNT)]
for seen in members:
    start(seen)
crowd(members)
threading.Event().wait()
