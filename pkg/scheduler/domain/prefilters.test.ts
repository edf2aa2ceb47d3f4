import assert from "node:assert/strict";
import { aHostView, aRequest } from "../testing/builders.js";
import { hostPrefilters } from "./prefilters.js";

/** Reasons for which a host of zone west is refused. */
const reasons = (request: Parameters<typeof aRequest>[0]): string[] =>
  hostPrefilters
    .filter((rule) => rule.applies(aRequest(request)))
    .flatMap((rule) => {
      const verdict = rule.judge(aHostView({ host: "h1", availabilityZone: "west" }), aRequest(request));
      return verdict.passed ? [] : [verdict.reason];
    });

describe("rules about a host's name and zone", () => {
  it("refuse another zone, but not for a host that is forced", () => {
    assert.deepEqual(reasons({ availabilityZone: "nova" }), ["OTHER_ZONE"]);
    assert.deepEqual(reasons({ availabilityZone: "nova", requestedHost: "h1" }), ["OTHER_ZONE"]);
    assert.deepEqual(reasons({ availabilityZone: "nova", forcedHost: "h1" }), []);
    assert.deepEqual(reasons({ availabilityZone: "nova", forcedNode: "h1" }), []);
    assert.deepEqual(reasons({ availabilityZone: "nova", forcedHost: "h2" }), ["OTHER_HOST_REQUESTED"]);
  });
});
