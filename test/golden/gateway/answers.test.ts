import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { startTestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import type { Ask, TestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import { cases } from "./cases.js";
import type { Case } from "./cases.js";
import { breaches, readContract } from "./contract.js";
import { fixture } from "./fixture.js";

/** `npm run golden:update` writes the files anew; look at the difference before committing it. */
const UPDATE = process.env["KILONOVA_UPDATE_GOLDEN"] === "1";

interface Told {
  readonly status: number;
  readonly body: unknown;
}

describe("golden: gateway answers at every microversion", () => {
  const contract = readContract();
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway(fixture, { linkPrefix: "http://openstack.example.com" });
  });
  after(() => gateway.close());

  for (const one of cases) {
    it(one.name, async () => {
      const changes: Record<string, Told> = {};
      let previous = "";
      for (let version = one.min; version <= one.max; version++) {
        const told = await tell(gateway, one, version);
        assert.deepEqual(
          breaches(contract.get(one.route) ?? new Map(), version, told.body),
          [],
          `breaches of the contract at 2.${version}`,
        );
        const text = JSON.stringify(told);
        if (text !== previous) changes[`2.${version}`] = told;
        previous = text;
      }
      compare(one.name, changes);
    }).timeout(20_000);
  }
});

async function tell(gateway: TestGateway, one: Case, version: number): Promise<Told> {
  const method = one.route.split(" ")[0] ?? "GET";
  const options: Ask = {
    method,
    version: `2.${version}`,
    token: one.token,
    ...("body" in one ? { body: one.body } : {}),
  };
  const answer = await gateway.ask(`/v2.1${one.path}`, options);
  assert.ok(answer.status < 300, `2.${version}: ${answer.status} ${answer.text}`);
  return { status: answer.status, body: answer.json ?? null };
}

function compare(name: string, changes: Readonly<Record<string, Told>>): void {
  const file = new URL(`answers/${name}.json`, import.meta.url);
  if (UPDATE) writeFileSync(file, `${JSON.stringify(changes, null, 1)}\n`);
  const golden = JSON.parse(readFileSync(file, "utf8")) as Record<string, Told>;
  assert.deepEqual(Object.keys(changes), Object.keys(golden), "the versions at which the answer changes");
  assert.deepEqual(changes, golden);
  assert.equal(JSON.stringify(changes), JSON.stringify(golden), "the order of fields");
}
