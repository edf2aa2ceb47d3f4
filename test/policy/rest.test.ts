import assert from "node:assert/strict";
import { fakeTokens } from "../../pkg/gateway/testing/test-tokens.js";
import type { Answer, TestGateway } from "../../pkg/gateway/testing/test-gateway.js";
import { serveTestGateway } from "../../pkg/gateway/testing/test-gateway.js";
import { allOperations } from "../../pkg/gateway/resources/index.js";
import { standsFor } from "../../pkg/gateway/routing/aliases.js";
import type { ApiClients } from "../../pkg/gateway/ports.js";
import { FragmentCache } from "../../pkg/gateway/view/fragments.js";
import type { RuleName } from "../../pkg/policy/index.js";
import { ruleDefaults } from "../../pkg/policy/index.js";
import { callers } from "./callers.js";
import type { Case, Outcome } from "./case.js";
import { allNeeds, printOf, refusedBy } from "./case.js";
import type { RestExpected } from "./rest-cases.js";
import { nobodyAsks } from "./nobody-asks.js";
import { restExpected } from "./rest-cases.js";
import { walk } from "./walk.js";
import { World } from "./world.js";

const UNDER_WAY = /The attachment did not finish in time/;
const REFUSAL = /Policy doesn't allow (\S+) to be performed/;
/** Two rights that Nova refuses in words of their own. */
const OTHER_REFUSALS: readonly (readonly [RegExp, RuleName])[] = [
  [/servers are allowed for flavors with zero disk/, "os_compute_api:servers:create:zero_disk_flavor"],
  [/create an interface on external network/, "network:attach_external_network"],
];

/** Policy let it in, and then there is no such console in any cloud of ours. */
const NOT_OFFERED = /Unavailable console type spice-html5/;

function outcomeOf({ status, text }: Answer): Outcome {
  const print = printOf(text);
  // What was begun goes on; nobody carries it out here.
  const begun = status === 504 && UNDER_WAY.test(text);
  if (status < 300 || begun || (status === 400 && NOT_OFFERED.test(text))) return { end: "done", print };
  if (status === 404) return { end: "missing", print };
  const rule = REFUSAL.exec(text)?.[1] ?? OTHER_REFUSALS.find(([words]) => words.test(text))?.[1];
  return { end: status === 403 && rule !== undefined ? refusedBy(rule) : `${status}: ${text}`, print };
}

describe("policy of the REST API", () => {
  const world = new World();
  let gateway: TestGateway;
  before(async () => {
    gateway = await serveTestGateway(world.api.channel, {
      tokens: fakeTokens(callers),
      policy: world.policy,
      config: { attachWaitMs: 0 },
    });
  });
  after(() => gateway.close());

  const cases = restExpected.map((expected): Case => ({
    ...expected,
    name: expected.form === undefined ? expected.route : `${expected.route} (${expected.form})`,
    run: async (_world, callerName) => outcomeOf(await ask(expected, callerName)),
  }));
  const ask = ({ route, path, version, body }: RestExpected, token: string): Promise<Answer> =>
    gateway.ask(`/v2.1${path}`, {
      method: route.split(" ")[0] ?? "",
      version,
      token,
      ...(body === undefined ? {} : { body }),
    });

  // What has an alias is the same operation under it.
  const served = allOperations({} as ApiClients, new FragmentCache(0)).flatMap(({ route }) =>
    standsFor(route) === route ? [route] : [],
  );

  it("is expected of every served route", () => {
    assert.deepEqual([...new Set(restExpected.map(({ route }) => route))].sort(), [...served].sort());
  });

  it("asks of each served route what Nova asks there", () => {
    const plain = (route: string): string =>
      route
        .replace(/#(.*)/, " ($1)")
        .replace(/\{[^}]*\}/g, "{}")
        .replace(/\/( |$)/, "$1");
    const nova = Object.entries(ruleDefaults).flatMap(([rule, { guards }]) =>
      guards.map((route) => `${plain(route)}: ${rule}`),
    );
    const ours = restExpected.flatMap((one) =>
      [...allNeeds(one), ...(one.shows ?? [])].map((rule) => `${plain(one.route)}: ${rule}`),
    );
    const shown = new Set(served.map(plain));
    const missing = nova.filter((line) => {
      const [route = "", rule = ""] = line.split(": ");
      return shown.has(route) && !(rule in nobodyAsks) && !ours.includes(line);
    });
    assert.deepEqual(missing, []);
    assert.deepEqual(
      ours.filter((line) => !nova.includes(line)),
      [],
    );
  });

  walk(world, cases);
});
