// A real client, Node's `ws`: sends each size as text and binary, and expects it back.

import { createRequire } from 'node:module';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

const [, , url, modules] = process.argv;
const WebSocket = createRequire(`${modules}/`)('ws');
const SIZES = [1, 125, 126, 65535, 65536, 1 << 20, 8 << 20];

const ws = new WebSocket(url, { perMessageDeflate: true, maxPayload: 64 << 20 });
await once(ws, 'open');
console.log('extensions', ws.extensions);
const sent = SIZES.map((size) => Buffer.alloc(size, 'x'));
for (const data of [...sent, randomBytes(1 << 20)]) {
  const isText = sent.includes(data);
  ws.send(isText ? data.toString() : data);
  const [back, isBinary] = await once(ws, 'message');
  if (!back.equals(data) || isBinary === isText) throw new Error(`changed: ${data.length}`);
}
ws.close(1000);
const [code] = await once(ws, 'close');
console.log('served', code);
