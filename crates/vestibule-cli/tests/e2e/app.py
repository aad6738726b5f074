"""A service for the tests: WebSocket echo and a health path, with the standard library alone.

Its arguments are NAME=VALUE: `log` (what it saw, one word and CLOCK_MONOTONIC a line), `port` or
`unix` (else $PORT), `host` (else 127.0.0.1), `wait` (a file that must exist before it binds), `bind` (seconds before it
binds), `ready` (a file that must exist before /health says 200), `notify` (a message, sent once
`ready` exists), `early` (one sent at the start), `end` (a file at whose coming it exits with
`code`), `crash` (a file made at the first start, which then fails), `term` (the status it exits
with at SIGTERM, or `ignore`), `fork` (leaves processes behind in and outside its group).
"""

import base64
import hashlib
import os
import signal
import socket
import sys
import threading
import time

told = dict(word.split("=", 1) for word in sys.argv[1:])


def note(word):
    if "log" in told:
        with open(told["log"], "a") as file:
            file.write(f"{word} {time.monotonic_ns()}\n")


def has(name):
    return name not in told or os.path.exists(told[name])


def wait_for(name):
    while not has(name):
        time.sleep(0.005)


def on_signal(number, _frame):
    note(signal.Signals(number).name)
    if number == signal.SIGTERM and told["term"] != "ignore":
        os._exit(int(told["term"]))


def say(message):
    address = os.environ["NOTIFY_SOCKET"]
    address = "\0" + address[1:] if address[0] == "@" else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(message.replace("\\n", "\n").encode(), address)


def leave_behind():
    for kind in ["group", "session", "daemon"]:
        if os.fork() == 0:
            if kind != "group":
                os.setsid()
            if kind == "daemon" and os.fork() != 0:
                os._exit(0)
            note(kind)
            time.sleep(3600)


def exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def echo(stream):
    while True:
        first, second = exactly(stream, 2)
        length = second & 127
        if length == 126:
            length = int.from_bytes(exactly(stream, 2), "big")
        mask = exactly(stream, 4)
        data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(exactly(stream, length)))
        size = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
        stream.write(bytes([first]) + size + data)
        stream.flush()
        if first & 15 == 8:
            return


def serve(connection):
    with connection, connection.makefile("rwb") as stream:
        try:
            request = stream.readline().decode("latin-1").split(" ")
            fields = {}
            while (line := stream.readline().decode("latin-1").strip()) != "":
                name, value = line.split(":", 1)
                fields[name.lower()] = value.strip()
            if "sec-websocket-key" in fields:
                key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
                stream.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                    b"Upgrade: websocket\r\nSec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
                )
                stream.flush()
                note("opened")
                echo(stream)
            elif len(request) > 1:
                status = b"200 OK" if has("ready") else b"503 Service Unavailable"
                stream.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except (OSError, EOFError):
            pass


def listen():
    if "unix" in told:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(told["unix"])
    else:
        host = told.get("host", "127.0.0.1")
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(told.get("port") or os.environ["PORT"])))
    listener.listen(512)
    note(f"bound@{time.time()}")
    while True:
        threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()


for kind in [signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH]:
    signal.signal(kind, on_signal)
if "term" in told:
    signal.signal(signal.SIGTERM, on_signal)
if "fork" in told:
    leave_behind()
note("started")
if "early" in told:
    say(told["early"])
wait_for("wait")
time.sleep(float(told.get("bind", "0")))
if "crash" in told and not os.path.exists(told["crash"]):
    open(told["crash"], "w").close()
    os._exit(1)
threading.Thread(target=listen, daemon=True).start()
if "notify" in told:
    wait_for("ready")
    say(told["notify"])
while "end" not in told or not has("end"):
    time.sleep(0.005)
os._exit(int(told.get("code", "0")))
