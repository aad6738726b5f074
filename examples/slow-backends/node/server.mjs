// A slow-starting Node service on `ws`. ../README.md says what each variable means.

import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { createServer, STATUS_CODES } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { WebSocketServer } from 'ws';

const env = process.env;
const MODES = ['unbound', 'close1011', 'lying', 'refuse503', 'silent', 'crash', 'warm'];
let mode = env.MODE ?? 'warm';
if (!MODES.includes(mode)) {
  console.error(`MODE=${mode} is unknown; one of: ${MODES.join(', ')}`);
  process.exit(1);
}
if (mode === 'crash' && env.CRASH_MARKER && existsSync(env.CRASH_MARKER)) mode = 'warm';
const readyAfter = mode === 'warm' ? 0 : Number(env.READY_AFTER ?? 0.6) * 1000;
const bindAfter = env.BIND_AFTER ? Number(env.BIND_AFTER) * 1000 : mode === 'unbound' ? readyAfter : 0;
const holdsItself = env.HOLD_ITSELF === '1';
const holdsInBacklog = env.HOLD_ITSELF === 'backlog';

let isReady = false;
let setReady;
const ready = new Promise((resolve) => {
  setReady = resolve;
});

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (!isReady) {
    if (mode === 'lying' && pathname === '/health') return response.end('ok\n');
    if (holdsItself && pathname !== '/health') await ready;
    else if (mode === 'silent') return;
    else return answer(response, 503, 'starting\n');
  }
  if (pathname === '/health') answer(response, 200, 'ok\n');
  else if (pathname === '/') answer(response, 200, 'hello from node\n');
  else if (pathname === '/echo' && request.method === 'POST') {
    response.setHeader('content-type', request.headers['content-type'] ?? 'application/octet-stream');
    request.pipe(response);
  } else answer(response, 404, 'not found\n');
});

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  maxPayload: 256 * 1024 * 1024,
});

server.on('upgrade', async (request, socket, head) => {
  // A raw socket from here on: nobody else hears that the client has left.
  socket.on('error', () => socket.destroy());
  const { pathname } = new URL(request.url, 'http://localhost');
  if (!/^\/ws(\/|$)/.test(pathname)) return refuse(socket, 404);
  if (!isReady) {
    if (holdsItself) await ready;
    else if (mode === 'silent') return socket.resume().on('end', () => socket.destroy());
    else if (mode === 'refuse503') return refuse(socket, 503);
    else return sockets.handleUpgrade(request, socket, head, (ws) => ws.close(1011, 'starting'));
  }
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.on('error', () => ws.terminate());
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
});

function answer(response, status, text) {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function start() {
  if (mode === 'crash') {
    setTimeout(() => {
      if (env.CRASH_MARKER) writeFileSync(env.CRASH_MARKER, '');
      process.exit(1);
    }, readyAfter / 2);
    return;
  }
  setTimeout(() => {
    isReady = true;
    setReady();
    // Node's clock is CLOCK_MONOTONIC, as the stamp must be.
    if (env.VESTIBULE_RACE_STAMP) appendFileSync(env.VESTIBULE_RACE_STAMP, `${process.hrtime.bigint()}\n`);
    // Node has no datagram sockets of the Unix kind; systemd's own sender stands in.
    if (env.NOTIFY === '1' && env.NOTIFY_SOCKET) {
      execFile('systemd-notify', ['--ready'], (error) => error && console.error(`systemd-notify: ${error.message}`));
    }
  }, Math.max(0, readyAfter - bindAfter));
}

// Clients wait unread, each in its socket: the HTTP server gets them when we are ready.
const early = createTcpServer({ pauseOnConnect: true }, async (socket) => {
  await ready;
  server.emit('connection', socket);
  socket.resume();
});

const listener = holdsInBacklog ? early : server;
setTimeout(() => listener.listen(Number(env.PORT ?? 8081), '127.0.0.1', start), bindAfter);
