"""The captures of this folder, made anew: `python3 endings.py FOLDER`, as root, with tcpdump, dumpcap, iptables and
Python's websockets. Client and server are that library, on loopback; nothing in the files is made up."""

import asyncio
import http
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

FOLDER = Path(sys.argv[1])


async def handler(ws):
    path = ws.request.path
    if path == "/echo":
        async for message in ws:
            await ws.send(message)
        return
    await ws.recv()
    tcp = ws.transport.get_extra_info("socket")
    if path == "/fin":
        await asyncio.sleep(2.2)
        ws.transport.abort() if ws.transport.get_extra_info("sslcontext") else tcp.shutdown(socket.SHUT_WR)
        await asyncio.sleep(1)
    elif path == "/rst":
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ws.transport.abort()
    elif path == "/1000":
        await ws.close(1000, "done")
    elif path == "/4408":
        await ws.close(4408, "Idle for 3 s")
    elif path == "/1011":
        raise RuntimeError("boom")


def refuse(connection, request):
    if request.path == "/nope":
        return connection.respond(http.HTTPStatus.NOT_FOUND, "no such endpoint\n")
    return None


def capturing(file, port, interface):
    tools = {
        ".pcap": ["tcpdump", "-i", interface, "-U", "-w", str(file), "tcp", "port", str(port)],
        ".pcapng": ["dumpcap", "-q", "-i", interface, "-f", f"tcp port {port}", "-w", str(file)],
    }
    return subprocess.Popen(tools[file.suffix], stderr=subprocess.DEVNULL)


async def record(name, path, interface="lo", tls=(None, None), drop=False):
    server_tls, client_tls = tls
    async with serve(handler, "127.0.0.1", 0, ssl=server_tls, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        capture = capturing(FOLDER / name, port, interface)
        await asyncio.sleep(2)
        scheme = "wss" if server_tls else "ws"
        try:
            url = f"{scheme}://127.0.0.1:{port}{path}"
            async with connect(url, ping_interval=None, close_timeout=3, ssl=client_tls) as ws:
                await ws.send("hello")
                if drop:
                    await ws.recv()
                    rule = ["INPUT", "-p", "tcp", "--dport", str(port), "-j", "DROP"]
                    subprocess.run(["iptables", "-I", *rule], check=True)
                    await ws.send("anybody there?")
                    await asyncio.sleep(9)
                    subprocess.run(["iptables", "-D", *rule], check=True)
                    ws.transport.abort()
                async for _ in ws:
                    pass
        except Exception as error:
            print(f"{name}: {error!r}")
        await asyncio.sleep(1.5)
        capture.send_signal(signal.SIGINT)
        capture.wait()


def certificate():
    folder = Path(tempfile.mkdtemp())
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=cert)
    client.check_hostname = False
    return server, client


async def main():
    for name, path in [("fin", "/fin"), ("rst", "/rst"), ("close-1000", "/1000"), ("close-1011", "/1011"), ("close-4408", "/4408")]:
        await record(f"{name}.pcap", path)
    await record("silence.pcap", "/echo", drop=True)
    await record("any-fin.pcap", "/fin", interface="any")
    await record("refused-404.pcapng", "/nope")
    await record("tls-fin.pcapng", "/fin", tls=certificate())


asyncio.run(main())
