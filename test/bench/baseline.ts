import type { AddressInfo } from "node:net";
import express from "express";
import { Rest, many } from "./rest.js";

/**
 * What the least of HTTP costs here now: CPU ms of a bare Express answer of 1 KB, server and client together
 * halved.
 */
export async function measureBaseline(): Promise<number> {
  const app = express();
  const body = { text: "x".repeat(1000) };
  app.get("/", (_req, res) => {
    res.json(body);
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const rest = new Rest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await many(500, 8, () => rest.send("GET", "/"));
  const before = process.cpuUsage();
  await many(6000, 8, () => rest.send("GET", "/"));
  const used = process.cpuUsage(before);
  rest.close();
  server.close();
  return (used.user + used.system) / 1000 / 6000 / 2;
}
