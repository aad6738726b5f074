// Tells the door how far the start of this service has come.
//
// One file, no dependencies: copy it into your service. Without a door around the service nothing happens, and no call
// here throws or takes longer than two seconds.
//
//     import { phase, failed } from "./vestibule-startup.mjs";
//
//     await phase("database");      // the start goes on to this phase
//     await failed("no licence");   // it will not get there
//
// The words go to VESTIBULE_STARTUP_URL, with VESTIBULE_STARTUP_TOKEN: Node has no Unix datagrams, so it can't speak
// sd_notify by itself. When the service is ready is learnt by its ready path or its port.

import { request } from "node:http";

const TIMEOUT_MS = 2000;

/** The start goes on to the phase of this name. Resolves to whether somebody took it. */
export function phase(name) {
  return tell({ phase: String(name) });
}

/** The start failed. Resolves to whether somebody took it. */
export function failed(reason) {
  return tell({ failed: String(reason) });
}

function tell(report) {
  const { VESTIBULE_STARTUP_URL: url, VESTIBULE_STARTUP_TOKEN: token } = process.env;
  if (!url || !token) return Promise.resolve(false);
  const body = JSON.stringify(report);
  const headers = {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  };
  return new Promise((resolve) => {
    try {
      const options = { method: "POST", headers, agent: false, timeout: TIMEOUT_MS };
      const sent = request(url, options, (answer) => {
        answer.on("error", () => resolve(false));
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      sent.on("error", () => resolve(false));
      sent.on("timeout", () => sent.destroy());
      sent.end(body);
    } catch {
      resolve(false);
    }
  });
}
