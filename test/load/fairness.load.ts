import { setTimeout as sleep } from "node:timers/promises";
import { Rest } from "../bench/rest.js";
import { Cloud } from "../e2e/support/cloud.js";
import { flood } from "./flooding.js";
import type { LoadResult } from "./result.js";
import { percentiles, timed } from "./result.js";
import { tenant } from "./tenants.js";

const CONNECTIONS = 40;
const REQUESTS = 240;

/** A reader of one project with forty connections, beside a member of another who works as people do. */
export async function run(): Promise<LoadResult> {
  const cloud = await Cloud.start({ portOffset: 21_000, args: ["--driver", "fake", "--hosts", "2"] });
  try {
    const victim = await tenant(cloud, "victim", "member");
    const reader = await tenant(cloud, "attacker", "reader");
    const server = await serverOf(victim, cloud);
    const work = workOf(victim, server);
    await timed(REQUESTS, work);
    const alone = percentiles(await timed(REQUESTS, work));
    const attacker = flood({
      base: reader.base,
      token: reader.token(),
      paths: ["/servers/detail", "/flavors/detail", "/servers", "/limits", "/os-availability-zone"],
      connections: CONNECTIONS,
    });
    // Its process has to come up; the first of these count for nothing.
    await sleep(3_000);
    await timed(40, work);
    const attacked = percentiles(await timed(REQUESTS, work));
    const answers = await attacker.end();
    victim.close();
    reader.close();
    const answered = Object.values(answers).reduce((sum, count) => sum + count, 0);
    return {
      name: "fairness",
      victim: { alone, attacked },
      facts: Object.fromEntries(Object.entries(answers).map(([status, n]) => [`attacker ${status}`, n])),
      failures: answered < 10 * CONNECTIONS ? [`the attacker was answered ${answered} times only`] : [],
    };
  } finally {
    await cloud.stop();
    cloud.forget();
  }
}

async function serverOf(victim: Rest, cloud: Cloud): Promise<string> {
  const images = new Rest(`http://127.0.0.1:${cloud.port(9292)}`);
  await images.login(`http://127.0.0.1:${cloud.port(5000)}`, cloud.credentials("admin"));
  const {
    images: [image],
  } = await images.json<{ images: { id: string }[] }>("GET", "/v2/images");
  images.close();
  const { server } = await victim.json<{ server: { id: string } }>(
    "POST",
    "/servers",
    { server: { name: "victim", imageRef: image?.id, flavorRef: "1", networks: "none" } },
    "2.37",
  );
  for (;;) {
    const shown = await victim.json<{ server: { status: string } }>("GET", `/servers/${server.id}`);
    if (shown.server.status === "ACTIVE") return server.id;
    if (shown.server.status === "ERROR") throw new Error(`the victim's server failed`);
    await sleep(100);
  }
}

/** Reads and writes in turn. */
function workOf(victim: Rest, server: string): (i: number) => Promise<unknown> {
  const steps = [
    () => victim.send("GET", `/servers/${server}`),
    () => victim.send("PUT", `/servers/${server}/tags/load`, undefined, "2.26"),
    () => victim.send("GET", "/servers/detail"),
    () => victim.send("DELETE", `/servers/${server}/tags/load`, undefined, "2.26"),
  ];
  return (i) => steps[i % steps.length]?.() ?? Promise.resolve();
}
