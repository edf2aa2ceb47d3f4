import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { GrpcClient } from "../grpc-client.js";
import { Protos, pathOf } from "../protos.js";
import type { Stage } from "../stage.js";
import { junkNumber, junkText } from "./junk.js";
import { Random } from "./random.js";
import { LONGEST_MS } from "./rest-fuzzer.js";

const ADMINISTRATORS = /Flavors|ComputeServices|Hypervisors/;
/**
 * Codes that say that the fault is ours. UNIMPLEMENTED is not among them: it is how a method that is not
 * built yet answers.
 */
const OURS = new Set(["UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "DEADLINE_EXCEEDED", "CANCELLED"]);

/** Requests made from the protos, which are all that a client knows. Streams are the table's business. */
export class GrpcFuzzer {
  readonly #stage: Stage;
  readonly #protos = new Protos();
  readonly #client: GrpcClient;
  readonly #methods: readonly DescMethod[] = this.#protos.methods.filter(
    ({ methodKind }) => methodKind === "unary",
  );

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#client = new GrpcClient(stage.cloud.port(8770));
  }

  close(): void {
    this.#client.close();
  }

  /** @returns what was wrong with the outcome of the call that the seed makes, "" when nothing was */
  async run(seed: number): Promise<string> {
    const random = new Random(seed);
    const method = random.pick(this.#methods);
    const as =
      ADMINISTRATORS.test(method.parent.name) && random.chance(0.6)
        ? "admin"
        : random.pick(["demo", "stranger"] as const);
    const request = this.#message(method.input, random, as, 0);
    const whole = this.#protos.encode(method, request);
    const torn = random.chance(0.05);
    const bytes = torn ? tear(whole, random) : whole;
    const outcome = await this.#client.call(pathOf(method), bytes, { "x-auth-token": this.#stage.token(as) });
    const sent = `${pathOf(method)}${bytes.toString("latin1")}${JSON.stringify(request)}${bytes.toString()}`;
    const leak =
      outcome.code === "OK" && as === "admin"
        ? ""
        : this.#stage.leaks.look(outcome.text, sent, { admin: as === "admin", foreign: as !== "demo" });
    const wrong = [
      outcome.durationMs > LONGEST_MS ? `took ${Math.round(outcome.durationMs)} ms` : "",
      OURS.has(outcome.code) && !(torn && outcome.code === "INTERNAL" && outcome.reason === "")
        ? "a failure of ours"
        : "",
      !["OK", "UNIMPLEMENTED"].includes(outcome.code) &&
      !torn &&
      (outcome.reason === "" || outcome.domain === "")
        ? "no reason"
        : "",
      leak === "" ? "" : `leaks ${leak}`,
    ]
      .filter(Boolean)
      .join("; ");
    return wrong === ""
      ? ""
      : `seed ${seed}: ${as} ${method.name} ${JSON.stringify(request).slice(0, 1500)}${torn ? ` as ${bytes.toString("hex").slice(0, 200)}` : ""}\n    ${wrong}: ${outcome.code} ${outcome.reason} ${outcome.message.slice(0, 400)}`;
  }

  #message(message: DescMessage, random: Random, as: string, depth: number): unknown {
    if (message.typeName === "google.protobuf.Timestamp")
      return random.pick(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"]);
    if (message.typeName === "google.protobuf.Duration")
      return random.pick(["0s", "0.05s", "-1s", "0.000000001s"]);
    if (message.typeName === "google.protobuf.FieldMask")
      return random.pick([
        "",
        "name",
        "description",
        "name,description",
        "hostInfo",
        "accessIpV4",
        "diskConfig",
      ]);
    const likely = depth === 0 ? 0.45 : 0.3;
    return Object.fromEntries(
      message.fields
        .filter((field) => random.chance(this.#likely(field) ? 0.9 : likely))
        .map((field) => [field.jsonName, this.#field(field, random, as, depth)]),
    );
  }

  #likely({ name }: DescField): boolean {
    return /^(server_id|flavor_id|image_id|networks|name)$/.test(name);
  }

  #field(field: DescField, random: Random, as: string, depth: number): unknown {
    const one = (): unknown => {
      if (field.message) return depth > 3 ? {} : this.#message(field.message, random, as, depth + 1);
      if (field.enum) return random.chance(0.9) ? random.pick(field.enum.values).number : 4711;
      return scalar(field.scalar ?? ScalarType.STRING, random, () => this.#text(field.name, random, as));
    };
    if (field.fieldKind === "list")
      return Array.from({ length: random.chance(0.02) ? 1001 : random.below(3) }, one);
    if (field.fieldKind === "map")
      return Object.fromEntries(
        Array.from({ length: random.below(3) }, () => [
          wellFormed(junkText(random)),
          field.message
            ? this.#message(field.message, random, as, depth + 1)
            : scalar(field.scalar ?? ScalarType.STRING, random, () => wellFormed(junkText(random))),
        ]),
      );
    return one();
  }

  #text(name: string, random: Random, as: string): string {
    const { names } = this.#stage;
    const id = (which: string): string => names.get(which) ?? "";
    if (random.chance(0.3)) return wellFormed(junkText(random));
    if (/server_id|ids/.test(name)) return random.pick([id("server"), id("other-server"), id("missing")]);
    if (/flavor_id/.test(name)) return as === "admin" ? "w1" : id("flavor");
    if (/image_id/.test(name)) return id("image");
    if (/network_id/.test(name)) return id("network");
    if (name === "port_id") return "";
    return `w${random.below(1000)}`;
  }
}

function scalar(type: ScalarType, random: Random, text: () => string): unknown {
  switch (type) {
    case ScalarType.STRING:
      return text();
    case ScalarType.BOOL:
      return random.chance(0.5);
    case ScalarType.BYTES:
      return Buffer.from(text()).toString("base64");
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return random.pick([0, 1, -1, 0.5, "NaN", "Infinity", "-Infinity"]);
    case ScalarType.UINT32:
    case ScalarType.UINT64:
      return random.pick([0, 1, 2, 3, 1000, 1001, 2_147_483_648, 4_294_967_295]);
    default:
      return Math.trunc(Math.max(-2_147_483_648, Math.min(2_147_483_647, junkNumber(random))));
  }
}

/** Proto's JSON takes no halves of surrogate pairs; the wire's are in the table. */
const wellFormed = (text: string): string =>
  text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");

function tear(whole: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(whole);
  if (bytes.length === 0 || random.chance(0.3)) return bytes.subarray(0, random.below(bytes.length + 1));
  for (let i = 0; i < 3; i++) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}
