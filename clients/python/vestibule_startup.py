"""Tells the door how far the start of this service has come.

One file, no dependencies: copy it into your service. Without a door around the service nothing happens, and no call
here raises or takes longer than two seconds.

    import vestibule_startup as startup

    startup.phase("database")     # the start goes on to this phase
    startup.failed("no licence")  # it will not get there
    startup.ready()               # it may take traffic (sd_notify READY=1)

Under `vestibule run` the words go to NOTIFY_SOCKET (sd_notify(3)). Without that socket they go to
VESTIBULE_STARTUP_URL, with VESTIBULE_STARTUP_TOKEN; `ready` is a word of the socket alone. A service that speaks by
the socket before its port answers is taken at its word: then call `ready`, too.
"""

import json
import os
import socket
import urllib.request

_TIMEOUT = 2.0


def phase(name):
    """The start goes on to the phase of this name. Says whether somebody was told."""
    return _tell(f"STATUS=phase: {_line(name)}", {"phase": str(name)})


def failed(reason):
    """The start failed. Says whether somebody was told."""
    return _tell(f"STATUS=failed: {_line(reason)}", {"failed": str(reason)})


def ready():
    """The service may take traffic. Says whether somebody was told."""
    return _notify("READY=1")


def _tell(status, report):
    return _notify(status) or _post(report)


def _line(text):
    return " ".join(str(text).split())


def _notify(words):
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_TIMEOUT)
            sender.sendto(words.encode(), address)
    except OSError:
        return False
    return True


def _post(report):
    url = os.environ.get("VESTIBULE_STARTUP_URL", "")
    token = os.environ.get("VESTIBULE_STARTUP_TOKEN", "")
    if not url or not token:
        return False
    fields = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        request = urllib.request.Request(url, json.dumps(report).encode(), fields)
        # A proxy is for the world outside, and must not see the token.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_TIMEOUT):
            return True
    except (OSError, ValueError):
        return False
