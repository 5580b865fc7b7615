"""An intermediary between the suite and a good server: what passes, and what the server behind is told.

    python3 through.py NAME 'COMMAND OF AN ADAPTER' server 0

The adapter behind says what it is told; its port stays here, and the suite is given that of the intermediary.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

NAME, ADAPTER = sys.argv[1:3]
FOLDER = tempfile.mkdtemp(prefix="through-")

NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/log; events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder}; server {{ listen 127.0.0.1:{port}; location / {{
proxy_pass http://127.0.0.1:{backend}; proxy_http_version 1.1; proxy_set_header Host $http_host;
proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }} }} }}
"""
HAPROXY = """global
    maxconn 500
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
listen front
    bind 127.0.0.1:{port}
    server backend 127.0.0.1:{backend}
"""
APACHE = """ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/log
ServerName localhost
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule proxy_wstunnel_module /usr/lib/apache2/modules/mod_proxy_wstunnel.so
ProxyPass / ws://127.0.0.1:{backend}/
"""
LIGHTTPD = """server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/log"
server.modules = ( "mod_proxy" )
proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => {backend} )))
proxy.header = ( "upgrade" => "enable" )
"""
VARNISH = """vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{backend}"; }}
sub vcl_recv {{ if (req.http.upgrade ~ "(?i)websocket") {{ return (pipe); }} }}
sub vcl_pipe {{ if (req.http.upgrade) {{ set bereq.http.upgrade = req.http.upgrade; set bereq.http.connection = req.http.connection; }} }}
"""
SQUID = """http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {backend} 0 no-query originserver
http_access allow all
http_upgrade_request_protocols websocket allow all
cache deny all
pid_filename {folder}/pid
cache_log {folder}/log
access_log none
shutdown_lifetime 0 seconds
"""
CADDY = """{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{backend}
}}
"""
# Its configuration, the command, and the command that tells the version. Settings are those that each documents for WebSocket.
KNOWN = {
    "nginx": (NGINX, ["nginx", "-c", "{file}"], ["nginx", "-v"]),
    "haproxy": (HAPROXY, ["haproxy", "-f", "{file}"], ["haproxy", "-v"]),
    "apache": (APACHE, ["apache2", "-X", "-f", "{file}"], ["apache2", "-v"]),
    "lighttpd": (LIGHTTPD, ["lighttpd", "-D", "-f", "{file}"], ["lighttpd", "-v"]),
    "varnish": (
        VARNISH,
        ["varnishd", "-F", "-n", "{folder}", "-a", "127.0.0.1:{port}", "-f", "{file}", "-p", "pipe_timeout=60"],
        ["varnishd", "-V"],
    ),
    "squid": (SQUID, ["squid", "-N", "-f", "{file}"], ["squid", "-v"]),
    "caddy": (CADDY, ["caddy", "run", "--adapter", "caddyfile", "--config", "{file}"], ["caddy", "version"]),
    "gateway": (
        "",
        ["revoir", "serve", "--listen", "127.0.0.1:{port}", "--upstream", "ws://127.0.0.1:{backend}"],
        ["revoir", "--version"],
    ),
}


def say(line):
    print(json.dumps(line), flush=True)


def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def version(command):
    text = subprocess.run(command, capture_output=True, text=True)
    words = (text.stdout + text.stderr).replace("/", " ").replace("-", " ").split()
    return next((word.strip("v,()") for word in words if word.strip("v,()")[:1].isdigit() and "." in word), "")


def start(backend):
    """The intermediary in front of a port: the port that it listens on."""
    global intermediary
    text, command, _ = KNOWN[NAME]
    port, file = free(), os.path.join(FOLDER, "file")
    fill = {"port": port, "backend": backend, "folder": FOLDER, "file": file}
    with open(file, "w") as out:
        out.write(text.format(**fill))
    os.chmod(FOLDER, 0o777)
    log = open(os.path.join(FOLDER, "out"), "w")
    command = [part.format(**fill) for part in command]
    try:
        intermediary = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    except OSError as error:
        fail(f"{NAME} does not start: {error}")
    for _ in range(200):
        if intermediary.poll() is not None:
            fail(f"{NAME} ended: " + open(os.path.join(FOLDER, "out")).read())
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return port
        time.sleep(0.05)
    fail(f"{NAME} does not listen")


os.environ["PATH"] += ":/usr/sbin"
server = subprocess.Popen(f"exec {ADAPTER} server 0", shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
intermediary = None


def end(status=0):
    """Leaves neither a process nor a folder behind, within the 2 s that the suite waits."""
    for process in (intermediary, server):
        if process:
            process.terminate()
    if intermediary:
        try:
            intermediary.wait(timeout=1.5)
        except subprocess.TimeoutExpired:
            intermediary.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)
    os._exit(status)


def fail(problem):
    print(problem, file=sys.stderr, flush=True)
    end(1)


def watch():
    sys.stdin.read()
    end()


signal.signal(signal.SIGTERM, lambda *_: end())
threading.Thread(target=watch, daemon=True).start()
for text in server.stdout:
    line = json.loads(text)
    if line["event"] == "hello":
        behind = f"behind it {line['name']} {line.get('version', '')}"
        say({"event": "hello", "name": NAME, "version": version(KNOWN[NAME][2]), "core": NAME, "settings": behind})
    elif line["event"] == "ready":
        say({"event": "ready", "port": start(line["port"])})
    else:
        print(text, end="", flush=True)
end()
