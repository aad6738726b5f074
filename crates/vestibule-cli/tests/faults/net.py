"""Makes a network of its own poor, then becomes the command behind `--`.

Words: `no4` (loopback has no IPv4 address), `no6` (IPv6 is off), `ports=A-B` (the local ports there
are), `relay=PATH,HOST,PORT` (what connects to the socket PATH outside reaches HOST:PORT in here).
Runs in a network namespace where it is root.
"""

import fcntl
import os
import socket
import struct
import sys
import threading

SIOCSIFADDR, SIOCSIFFLAGS = 0x8916, 0x8914
UP = 1


def sysctl(name, value):
    with open("/proc/sys/" + name, "w") as file:
        file.write(value)


def loopback(with_ipv4):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP))
        if not with_ipv4:
            nothing = struct.pack("HH4s8x", socket.AF_INET, 0, bytes(4))
            fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s", b"lo") + nothing)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end, how in [(sink, socket.SHUT_WR), (source, socket.SHUT_RD)]:
        try:
            end.shutdown(how)
        except OSError:
            pass


def relay(listener, address):
    while True:
        inner = listener.accept()[0]
        outer = socket.create_connection(address)
        for pair in [(inner, outer), (outer, inner)]:
            threading.Thread(target=pump, args=pair, daemon=True).start()


words, command = sys.argv[1:], None
words, command = words[: words.index("--")], words[words.index("--") + 1 :]
loopback("no4" not in words)
for word in words:
    name, _, value = word.partition("=")
    if name == "no6":
        sysctl("net/ipv6/conf/all/disable_ipv6", "1")
    if name == "ports":
        sysctl("net/ipv4/ip_local_port_range", value.replace("-", " "))
    if name == "relay":
        path, host, port = value.split(",")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(64)
        # The command is this process's later life, so that signals find it.
        if os.fork() == 0:
            os.setsid()
            relay(listener, (host, int(port)))
        listener.close()
os.execvp(command[0], command)
