import assert from "node:assert/strict";
import { anonymous, KilonovaError } from "../../../kernel/index.js";
import type { Actor } from "../../../kernel/index.js";
import { demandPortFields } from "./port-policy.js";
import type { PortFields } from "./port-policy.js";

const member: Actor = { ...anonymous, kind: "user", projectId: "mine", roles: ["member", "reader"] };
const manager: Actor = { ...member, roles: ["manager", "member", "reader"] };
const admin: Actor = { ...member, projectId: "adm", roles: ["admin"] };
const service: Actor = { ...member, projectId: "srv", roles: ["service"] };
const own = { projectId: "mine", shared: false };
const shared = { projectId: "adm", shared: true };

const allowed = (...[actor, network, fields, action]: Parameters<typeof demandPortFields>): boolean => {
  try {
    demandPortFields(actor, network, fields, action);
    return true;
  } catch (error) {
    assert.ok(error instanceof KilonovaError && error.reason === "POLICY_NOT_AUTHORIZED");
    return false;
  }
};

describe("what a port may be told", () => {
  /**
   * What it says; on a shared network at creation and change; on an own one likewise; a manager's change
   * there.
   */
  const table: readonly (readonly [string, PortFields, [boolean, boolean, boolean, boolean, boolean]])[] = [
    ["nothing special", {}, [true, true, true, true, true]],
    ["a name of a device", { device_owner: "compute:nova" }, [true, true, true, true, true]],
    ["a network's device", { device_owner: "network:dhcp" }, [false, false, true, true, true]],
    ["an address", { fixed_ips: [{ ip_address: "10.0.0.1" }] }, [false, false, true, true, true]],
    [
      "an address of a subnet",
      { fixed_ips: [{}, { subnet_id: "s", ip_address: "10.0.0.1" }] },
      [false, false, true, true, true],
    ],
    ["a subnet", { fixed_ips: [{ subnet_id: "s" }] }, [true, false, true, true, true]],
    ["no address", { fixed_ips: [] }, [true, false, true, true, true]],
    ["hardware", { mac_address: "fa:16:3e:00:00:01" }, [false, false, true, false, true]],
    ["no port security", { port_security_enabled: false }, [false, false, true, true, true]],
    ["port security", { port_security_enabled: true }, [false, false, true, true, true]],
    ["address pairs", { allowed_address_pairs: [{}] }, [false, false, true, true, true]],
    ["no address pairs", { allowed_address_pairs: [] }, [true, true, true, true, true]],
    ["a host", { "binding:host_id": "" }, [false, false, false, false, false]],
    ["a profile", { "binding:profile": {} }, [false, false, false, false, false]],
  ];
  for (const [what, fields, expected] of table)
    it(`${what}: by whom and where`, () => {
      assert.deepEqual(
        [
          allowed(member, shared, fields, "create"),
          allowed(member, shared, fields, "update"),
          allowed(member, own, fields, "create"),
          allowed(member, own, fields, "update"),
          allowed(manager, own, fields, "update"),
        ],
        expected,
      );
      for (const actor of [admin, service])
        for (const action of ["create", "update"] as const) assert.ok(allowed(actor, shared, fields, action));
    });

  it("a reader of the network's project is no owner", () => {
    const reader = { ...member, roles: ["reader"] };
    assert.equal(allowed(reader, own, { mac_address: "fa:16:3e:00:00:01" }, "create"), false);
  });
});
