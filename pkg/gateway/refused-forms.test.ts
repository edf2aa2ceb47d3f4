import assert from "node:assert/strict";
import { KilonovaError } from "../kernel/index.js";
import { startTestGateway } from "./testing/test-gateway.js";
import type { TestGateway } from "./testing/test-gateway.js";

const missing = async (): Promise<never> => {
  throw new KilonovaError({ kind: "missing", domain: "api", reason: "NOT_FOUND", message: "nobody has it" });
};

describe("forms that mean nothing", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({
      aggregates: {
        getAggregate: missing,
        updateAggregate: missing,
        deleteAggregate: missing,
        addAggregateHost: missing,
        removeAggregateHost: missing,
        setAggregateMetadata: missing,
      },
      computeServices: { deleteComputeService: missing },
      hypervisors: { getHypervisor: missing },
    });
  });
  after(() => gateway.close());

  /** What Python's `len` and `keys` make of a body: `len` must be 1, then there must be keys. */
  const bodies: readonly (readonly [string, number])[] = [
    ["", 400],
    ["{", 400],
    ["[]", 400],
    ["[1]", 404],
    ["[1,2]", 400],
    ['""', 400],
    ['"x"', 404],
    ['"😀"', 404],
    ['"xy"', 400],
    ["null", 404],
    ["true", 404],
    ["7", 404],
    ["{}", 400],
    ['{"os-start": null, "os-stop": null}', 400],
    ['{"nonsense": null}', 400],
  ];
  for (const path of ["/v2.1/servers/x/action", "/v2.1/flavors/7/action", "/v2.1/os-aggregates/1/action"])
    for (const [raw, expected] of bodies)
      it(`${path} answers ${expected} to the body ${raw || "of no bytes"}`, async () => {
        const { status } = await gateway.ask(path, {
          method: "POST",
          token: "admin",
          raw,
          headers: { "content-type": "application/json" },
        });
        assert.equal(status, expected);
        assert.deepEqual(gateway.calls, []);
      });

  const AGGREGATE = [
    ["-1", 404],
    ["0", 404],
    ["+5", 404],
    ["%205", 404],
    ["1_000", 404],
    ["9".repeat(40), 404],
    ["abc", 400],
    ["1.5", 400],
    ["1e3", 400],
    ["0x1", 400],
    ["--1", 400],
    ["-", 400],
  ] as const;
  const body = { add_host: { host: "h" } };
  const asks = [
    ["GET", "/os-aggregates/", "", undefined, "2.1"],
    ["PUT", "/os-aggregates/", "", { aggregate: { name: "a" } }, "2.1"],
    ["DELETE", "/os-aggregates/", "", undefined, "2.1"],
    ["POST", "/os-aggregates/", "/action", body, "2.1"],
    ["POST", "/os-aggregates/", "/action", { remove_host: { host: "h" } }, "2.1"],
    ["POST", "/os-aggregates/", "/action", { set_metadata: { metadata: {} } }, "2.1"],
    ["DELETE", "/os-services/", "", undefined, "2.52"],
  ] as const;
  for (const [method, path, after, asked, version] of asks)
    for (const [id, expected] of AGGREGATE)
      it(`${method} ${path}${id.slice(0, 8)}${[after, ...Object.keys(asked ?? {})].join(" ")} is ${expected}`, async () => {
        const { status } = await gateway.ask(`/v2.1${path}${id}${after}`, {
          method,
          token: "admin",
          version,
          ...(asked === undefined ? {} : { body: asked }),
        });
        gateway.calls.length = 0;
        assert.equal(status, expected);
      });

  for (const [version, id, expected] of [
    ["2.52", "-1", 404],
    ["2.52", "abc", 404],
    ["2.53", "-1", 400],
    ["2.53", "abc", 400],
  ] as const)
    for (const path of ["/os-hypervisors/", "/os-services/"])
      it(`${path}${id} at ${version}`, async () => {
        const services = path === "/os-services/";
        const { status } = await gateway.ask(`/v2.1${path}${id}`, {
          method: services ? "DELETE" : "GET",
          token: "admin",
          version,
        });
        gateway.calls.length = 0;
        // Of a service, what is no number is bad input, of a hypervisor one that nobody has.
        assert.equal(status, services && version === "2.52" && id === "abc" ? 400 : expected);
      });
});
