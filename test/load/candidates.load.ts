import { Rest } from "../bench/rest.js";
import { Cloud } from "../e2e/support/cloud.js";
import type { LoadResult } from "./result.js";
import { percentiles, timed } from "./result.js";

const REQUESTS = 300;
/** Groups that nearly fill the children of a host: nobody can tell quickly whether they fit. */
const AMOUNTS = Array.from({ length: 36 }, (_, at) => 26 + ((at * 7919) % 15));
const CHILDREN = 12;
const ASKERS = 6;
const BOOTERS = 2;

/**
 * Administrators who ask Placement what it cannot answer, and a tenant who boots a flavor of as many groups,
 * beside somebody who reads servers.
 */
export async function run(): Promise<LoadResult> {
  const cloud = await Cloud.start({ portOffset: 23_000, args: ["--driver", "fake", "--hosts", "2"] });
  const identityUrl = `http://127.0.0.1:${cloud.port(5000)}`;
  const rest = async (user: "admin" | "demo"): Promise<Rest> => {
    const one = new Rest(`http://127.0.0.1:${cloud.port(8774)}/v2.1`);
    await one.login(identityUrl, cloud.credentials(user));
    return one;
  };
  try {
    const [victim, attacker] = [await rest("demo"), await rest("admin")];
    const placement = await placementOf(cloud, identityUrl);
    await divide(placement);
    const flavor = await hardFlavor(attacker);
    const image = await imageOf(cloud, identityUrl);
    const work = (): Promise<unknown> => victim.send("GET", "/servers/detail");
    await timed(REQUESTS, work);
    const alone = percentiles(await timed(REQUESTS, work));
    const counts: Record<string, number> = {};
    let ended = false;
    const note = (what: string): void => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const query = AMOUNTS.map((amount, at) => `resources${at + 1}=VGPU:${amount}`).join("&");
    const ask = async (): Promise<void> => {
      while (!ended) {
        const { status } = await placement(
          "GET",
          `/allocation_candidates?${query}&group_policy=none&limit=10`,
        );
        note(`candidates ${status}`);
      }
    };
    const boot = async (): Promise<void> => {
      while (!ended) {
        const { server } = await attacker.json<{ server: { id: string } }>(
          "POST",
          "/servers",
          {
            server: {
              name: "hard",
              imageRef: image,
              flavorRef: flavor,
              networks: "none",
            },
          },
          "2.37",
        );
        while (!ended) {
          const shown = await attacker.json<{ server: { status: string } }>("GET", `/servers/${server.id}`);
          if (shown.server.status !== "BUILD") break;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        note("boots");
        await attacker.send("DELETE", `/servers/${server.id}`);
      }
    };
    const attack = Promise.all([
      ...Array.from({ length: ASKERS }, ask),
      ...Array.from({ length: BOOTERS }, boot),
    ]);
    await timed(40, work);
    const attacked = percentiles(await timed(REQUESTS, work));
    ended = true;
    await attack;
    victim.close();
    attacker.close();
    return {
      name: "candidates",
      victim: { alone, attacked },
      facts: counts,
      failures: (counts["candidates 503"] ?? 0) === 0 ? ["no question was too hard: the attack is none"] : [],
    };
  } finally {
    await cloud.stop();
    cloud.forget();
  }
}

type PlacementCall = (method: string, path: string, body?: object) => Promise<{ status: number; json: Json }>;
interface Json {
  readonly uuid: string;
  readonly resource_providers: readonly { readonly uuid: string }[];
}

async function placementOf(cloud: Cloud, identityUrl: string): Promise<PlacementCall> {
  const { OS_USERNAME: name, OS_PASSWORD: password, OS_PROJECT_NAME: project } = cloud.credentials("admin");
  const login = await fetch(`${identityUrl}/v3/auth/tokens`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { name, password, domain: { name: "Default" } } },
        },
        scope: { project: { name: project, domain: { name: "Default" } } },
      },
    }),
  });
  const headers = {
    "X-Auth-Token": login.headers.get("x-subject-token") ?? "",
    "OpenStack-API-Version": "placement 1.39",
  };
  return async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${cloud.port(8778)}${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: (await answer.json()) as Json };
  };
}

/** Gives every host children with accelerators. */
async function divide(placement: PlacementCall): Promise<void> {
  const { json } = await placement("GET", "/resource_providers");
  for (const { uuid: parent } of json.resource_providers)
    for (let child = 0; child < CHILDREN; child++) {
      const body = { name: `${parent}-${child}`, parent_provider_uuid: parent };
      const { json: made } = await placement("POST", "/resource_providers", body);
      await placement("PUT", `/resource_providers/${made.uuid}/inventories`, {
        resource_provider_generation: 0,
        inventories: { VGPU: { total: 100 } },
      });
    }
}

async function hardFlavor(admin: Rest): Promise<string> {
  const { flavor } = await admin.json<{ flavor: { id: string } }>("POST", "/flavors", {
    flavor: { name: "hard", ram: 64, vcpus: 1, disk: 0 },
  });
  const specs = Object.fromEntries(AMOUNTS.map((amount, at) => [`resources${at + 1}:VGPU`, String(amount)]));
  await admin.send("POST", `/flavors/${flavor.id}/os-extra_specs`, {
    extra_specs: { ...specs, group_policy: "none" },
  });
  return flavor.id;
}

/** Any image of the cloud's. */
async function imageOf(cloud: Cloud, identityUrl: string): Promise<string> {
  const images = new Rest(`http://127.0.0.1:${cloud.port(9292)}`);
  await images.login(identityUrl, cloud.credentials("admin"));
  const {
    images: [first],
  } = await images.json<{ images: { id: string }[] }>("GET", "/v2/images");
  images.close();
  return first?.id ?? "";
}
