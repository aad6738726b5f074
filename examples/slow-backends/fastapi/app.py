"""A slow-starting FastAPI service. ../README.md says what each variable means."""

import asyncio
import logging
import os
import socket
import time

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import PlainTextResponse

STARTED = time.monotonic()
MODE = os.environ.get("MODE", "warm")
CRASH_MARKER = os.environ.get("CRASH_MARKER")
if MODE == "crash" and CRASH_MARKER and os.path.exists(CRASH_MARKER):
    MODE = "warm"
READY_AFTER = 0.0 if MODE == "warm" else float(os.environ.get("READY_AFTER", "0.6"))
BIND_AFTER = float(os.environ.get("BIND_AFTER", READY_AFTER if MODE == "unbound" else 0.0))
HOLD_ITSELF = os.environ.get("HOLD_ITSELF") == "1"
HOLD_IN_BACKLOG = os.environ.get("HOLD_ITSELF") == "backlog"
MODES = ["unbound", "close1011", "lying", "refuse503", "silent", "crash", "warm"]

app = FastAPI()
ready = asyncio.Event()


@app.get("/health")
async def health(request: Request) -> Response:
    if MODE == "lying" and not ready.is_set():
        return PlainTextResponse("ok\n")
    return await cold(request) or PlainTextResponse("ok\n")


@app.get("/")
async def hello(request: Request) -> Response:
    return await cold(request) or PlainTextResponse("hello from fastapi\n")


@app.post("/echo")
async def echo(request: Request) -> Response:
    return await cold(request) or Echo()


@app.websocket("/ws")
@app.websocket("/ws/{path:path}")
async def socket_echo(ws: WebSocket) -> None:
    if HOLD_ITSELF:
        await ready.wait()
    if not ready.is_set():
        return await cold_socket(ws)
    await ws.accept(subprotocol=first_subprotocol(ws))
    while (message := await ws.receive())["type"] == "websocket.receive":
        if (text := message.get("text")) is not None:
            await ws.send_text(text)
        else:
            await ws.send_bytes(message["bytes"])


async def cold(request: Request) -> Response | None:
    """What a plain request gets while we start; None once we are ready."""
    if HOLD_ITSELF and request.url.path != "/health":
        await ready.wait()
    if ready.is_set():
        return None
    if MODE == "silent":
        while (await request.receive())["type"] != "http.disconnect":
            pass
    return PlainTextResponse("starting\n", status_code=503)


async def cold_socket(ws: WebSocket) -> None:
    """What a handshake gets while we start."""
    if MODE == "silent":
        while (await ws.receive())["type"] != "websocket.disconnect":
            pass
    elif MODE == "refuse503":
        await ws.send_denial_response(PlainTextResponse("starting\n", status_code=503))
    else:
        await ws.accept(subprotocol=first_subprotocol(ws))
        await ws.close(code=1011, reason="starting")


def first_subprotocol(ws: WebSocket) -> str | None:
    return next(iter(ws.scope["subprotocols"]), None)


async def start() -> None:
    """Called once the port is bound: crashes, or becomes ready in time."""
    if MODE == "crash":
        await asyncio.sleep(READY_AFTER / 2)
        if CRASH_MARKER:
            open(CRASH_MARKER, "w").close()
        os._exit(1)
    await asyncio.sleep(STARTED + READY_AFTER - time.monotonic())
    ready.set()
    if stamp := os.environ.get("VESTIBULE_RACE_STAMP"):
        with open(stamp, "a") as file:
            file.write(f"{time.monotonic_ns()}\n")
    notify_socket = os.environ.get("NOTIFY_SOCKET")
    if notify_socket and os.environ.get("NOTIFY") == "1":
        address = "\0" + notify_socket[1:] if notify_socket[0] == "@" else notify_socket
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", address)


class Echo(Response):
    """Sends each piece of the body back as it comes.

    StreamingResponse cannot: it listens for the client's leaving on the channel that the body arrives by.
    """

    async def __call__(self, scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            piece = message.get("body", b"")
            await send({"type": "http.response.body", "body": piece, "more_body": more})


class LateServer(uvicorn.Server):
    """Binds when BIND_AFTER says, and starts to get ready when bound."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(BIND_AFTER)
        if HOLD_IN_BACKLOG:
            # Clients wait in the kernel: uvicorn begins to accept when we are ready.
            address = (self.config.host, self.config.port)
            sockets = [socket.create_server(address, backlog=self.config.backlog)]
            await start()
            return await super().startup(sockets)
        await super().startup(sockets)
        self.starting = asyncio.create_task(start())


if __name__ == "__main__":
    if MODE not in MODES:
        raise SystemExit(f"MODE={MODE} is unknown; one of: {', '.join(MODES)}")
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "8081")),
        log_level="warning",
        access_log=False,
        ws_max_size=256 * 1024 * 1024,
    )
    # uvicorn takes a refused handshake for a forgotten one, and says so each time.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing handshake" not in record.getMessage()
    )
    LateServer(config).run()
