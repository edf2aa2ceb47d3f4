import { FragmentCache } from "../../../../pkg/gateway/view/fragments.js";
import type { ApiClients } from "../../../../pkg/gateway/ports.js";
import { allOperations } from "../../../../pkg/gateway/resources/index.js";
import type { Operation } from "../../../../pkg/gateway/routing/endpoints.js";
import { fault } from "../answers.js";
import type { Answer, Ask } from "../http.js";
import type { Stage } from "../stage.js";
import type { Fitting } from "./from-schema.js";
import { fromSchema } from "./from-schema.js";
import { junkText, spoil } from "./junk.js";
import { Random } from "./random.js";

const OPERATORS = /flavors|os-services|os-hypervisors/;
/** Slower than this is not slow but stuck. */
export const LONGEST_MS = 30_000;

interface Fuzzed {
  readonly ask: Ask;
  readonly as: "admin" | "demo" | "stranger";
}

/** Requests made from the schemas by which the gateway itself judges them. */
export class RestFuzzer {
  readonly #stage: Stage;
  /** Handlers are never called: only what the routes declare is read. */
  readonly #operations: readonly Operation[] = allOperations({} as ApiClients, new FragmentCache(0));
  readonly #servers: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Sends the request that the seed makes. @returns what was wrong with the answer, "" when nothing was */
  async run(seed: number): Promise<string> {
    const random = new Random(seed);
    const { ask, as } = this.#request(random);
    const answer = await this.#stage.http("compute").ask(ask);
    this.#remember(answer);
    const sent = `${decoded(ask.path)}${String(ask.body ?? "")}${JSON.stringify(ask.body ?? "")}`;
    const leak = this.#stage.leaks.look(answer.text, sent, { admin: as === "admin", foreign: as !== "demo" });
    const wrong = [judge(answer), leak === "" ? "" : `leaks ${leak}`].filter(Boolean).join("; ");
    return wrong === ""
      ? ""
      : `seed ${seed}: ${as} ${ask.method} ${ask.path.slice(0, 300)} ${String(ask.body ?? "").slice(0, 1500)}\n    ${wrong}: ${answer.status} ${answer.text.slice(0, 400)}`;
  }

  #request(random: Random): Fuzzed {
    const operation = random.pick(this.#operations);
    const [method = "", target = ""] = operation.route.split(" ");
    const [template = "", action = ""] = target.split("#");
    const as =
      OPERATORS.test(template) && random.chance(0.6) ? "admin" : random.pick(["demo", "stranger"] as const);
    const version = random.below(104) + 1;
    const env = { version, legacy: false };
    const fitting = this.#fitting();
    const asked = { ...fitting, texts: fitting.ids };
    const path = template
      .replace("{id}", this.#id(template, as, random))
      .replace("{sub}", encodeURIComponent(random.chance(0.5) ? "k1" : printable(junkText(random))));
    const query = operation.query ? queryOf(fromSchema(operation.query(env), random, asked), random) : "";
    const value = operation.body
      ? fromSchema(operation.body(env), random, fitting)
      : action === ""
        ? undefined
        : { [action]: null };
    const body =
      value === undefined ? undefined : textOf(random.chance(0.6) ? spoil(value, random) : value, random);
    const headers = {
      "x-auth-token": this.#stage.token(as),
      "openstack-api-version": `compute 2.${random.chance(0.02) ? junkNumberText(random) : version}`,
      ...(body === undefined
        ? {}
        : { "content-type": random.chance(0.97) ? "application/json" : "text/xml" }),
    };
    return {
      as,
      ask: {
        method,
        path: `/v2.1${path}${query}`.slice(0, 8000),
        headers,
        ...(body === undefined ? {} : { body }),
      },
    };
  }

  #id(template: string, as: Fuzzed["as"], random: Random): string {
    if (random.chance(0.25)) return encodeURIComponent(printable(junkText(random))) || "x";
    const { names } = this.#stage;
    const servers = [names.get("server"), names.get("other-server"), ...this.#servers.slice(-20)];
    // Administrators' requests change things: what the others need is not among what they name.
    const flavors = as === "admin" ? ["nobodys", "w1", "w2"] : [names.get("flavor"), "nobodys"];
    return String(
      random.pick(
        template.startsWith("/servers")
          ? servers
          : template.startsWith("/flavors")
            ? flavors
            : ["demos-key", "w1", "w2", names.get("missing")],
      ),
    );
  }

  #fitting(): Fitting {
    const { names } = this.#stage;
    const id = (name: string): string => names.get(name) ?? "";
    const texts = [id("server"), id("missing"), id("image"), id("network"), id("flavor")];
    return {
      ids: [...texts, id("other-server")],
      texts,
      byKey: {
        flavorRef: [id("flavor")],
        imageRef: [id("image")],
        networks: [[{ uuid: id("network") }]],
        availability_zone: ["nova"],
        key_name: ["demos-key"],
        security_groups: [[{ name: "default" }]],
        min_count: [1],
        max_count: [1, 2],
        host: ["nowhere"],
        hypervisor_hostname: ["nowhere"],
        binary: ["nova-compute"],
        limit: ["1", "5"],
        tenant: [id("project")],
      },
    };
  }

  #remember({ status, json }: Answer): void {
    const id = status === 202 ? (json as { server?: { id?: string } } | undefined)?.server?.id : undefined;
    if (id !== undefined) this.#servers.push(id);
  }
}

/** As the server will read it; paths that were cut in the middle of a letter stay as they are. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** @returns what no answer may be */
function judge(answer: Answer): string {
  if (answer.durationMs > LONGEST_MS) return `took ${Math.round(answer.durationMs)} ms`;
  if (answer.status >= 500 && answer.status !== 501) return "a failure of ours";
  if (answer.status < 400)
    return answer.text === "" || answer.json !== undefined ? "" : "a body that is not JSON";
  if (answer.status === 404 && typeof (answer.json as { title?: unknown } | undefined)?.title === "string")
    return "";
  return answer.status === 413 ? "" : fault(answer);
}

const printable = (text: string): string => text.replace(/[\ud800-\udfff]/g, "�").slice(0, 300);
const junkNumberText = (random: Random): string =>
  random.pick(["", "0", "105", "1.1", "01", "x", "99999999999"]);

/** JSON, now and then cut off, with a key twice, or of bytes that are not all UTF-8. */
function textOf(value: unknown, random: Random): string | Buffer {
  const text = JSON.stringify(value);
  if (random.chance(0.98)) return text;
  const kind = random.below(3);
  if (kind === 0) return text.slice(0, random.below(text.length + 1));
  if (kind === 1) return `${text.slice(0, -1)}${text.length > 2 ? "," : ""}${text.slice(1)}`;
  return Buffer.from(`${text.slice(0, -1)}\xff${text.slice(-1)}`, "latin1");
}

function queryOf(value: unknown, random: Random): string {
  const pairs = Object.entries((spoil(value, random) as Record<string, unknown>) ?? {}).flatMap(
    ([name, values]) =>
      (Array.isArray(values) ? values : [values]).map(
        (one) =>
          `${encodeURIComponent(printable(name))}=${encodeURIComponent(printable(typeof one === "object" ? JSON.stringify(one) : String(one)))}`,
      ),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
