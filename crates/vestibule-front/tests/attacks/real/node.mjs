// Node's server with `ws`, which writes a line for every request it sees: PORT LOG WHERE-WS-IS.

import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [port, log, modules] = process.argv.slice(2);
const { WebSocketServer } = createRequire(modules)('ws');
const note = (line) => appendFileSync(log, `${line}\n`);

// The body is left unread, as many services do.
const server = createServer((request, response) => {
  note(`${request.method} ${request.url}`);
  response.end('ok');
});
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  note(`upgrade ${request.url}`);
  socket.on('error', () => socket.destroy());
  sockets.handleUpgrade(request, socket, head, (ws) => ws.on('error', () => ws.terminate()));
});
// What it could not read is a request that it saw, too; a connection that broke off is none.
server.on('clientError', (error, socket) => {
  if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') note(`unreadable ${error.code}`);
  socket.destroy();
});
server.on('connect', (request) => note(`connect ${request.url}`));
server.listen(Number(port), '127.0.0.1');
