"""An ASGI service under uvicorn that writes a line for every request it sees: PORT LOG PARSER."""

import logging
import sys

import uvicorn

port, log, parser = sys.argv[1:]


def note(line: str) -> None:
    with open(log, "a") as file:
        file.write(line + "\n")


async def app(scope, receive, send) -> None:
    if scope["type"] not in ("http", "websocket"):
        raise NotImplementedError  # no lifespan
    note(f"{scope['type']} {scope.get('method', 'GET')} {scope['path']!r}")
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    # The body is left unread, as many services do.
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Unreadable(logging.Filter):
    """What uvicorn could not read is a request that it saw, too."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "Invalid HTTP request" in record.getMessage():
            note("unreadable")
        return True


logging.getLogger("uvicorn.error").addFilter(Unreadable())
uvicorn.run(app, host="127.0.0.1", port=int(port), http=parser, ws="websockets-sansio", log_level="warning", h11_max_incomplete_event_size=1 << 20)
