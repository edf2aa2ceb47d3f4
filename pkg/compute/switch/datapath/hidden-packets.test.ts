import assert from "node:assert/strict";
import { parseMac } from "../packet/address.js";
import { buildEthernet, etherType } from "../packet/ethernet.js";
import { vxlanHeader } from "../packet/vxlan.js";
import { end, udpFrame } from "../testing/frames.js";
import { somePort } from "../testing/some-port.js";
import { VirtualSwitch } from "./virtual-switch.js";

const peer = { host: "b", address: "127.0.0.1", port: 5001 };
const offered = udpFrame(end(9), end(2), [1, 2]);
/** The same packet behind a tag of VLAN 0, which Linux takes off without asking. */
const tagged = buildEthernet(
  parseMac(end(2).mac),
  parseMac(end(9).mac),
  etherType.vlan,
  Buffer.concat([Buffer.from([0, 0]), offered.subarray(12)]),
);

describe("packets in frames that rules cannot see into", () => {
  for (const [name, portSecurity, heard] of [
    ["are kept from a guest with port security", true, []],
    ["reach a guest without", false, ["port-2", "port-2"]],
  ] as const) {
    it(name, () => {
      const out: string[] = [];
      const sw = new VirtualSwitch({
        toGuest: (portId) => {
          out.push(portId);
          return undefined;
        },
        toPeer: () => {},
        metadata: () => assert.fail("nobody asks"),
        now: () => 0,
      });
      sw.setPort(somePort(9, { portSecurity: false, securityRules: [], securityGroupIds: [] }));
      sw.setPort(somePort(2, { portSecurity }));
      sw.setPeers([peer]);
      sw.fromGuest("port-9", tagged);
      sw.removePort("port-9");
      sw.fromTunnel(peer.address, peer.port, Buffer.concat([vxlanHeader(77), tagged]));
      assert.deepEqual(out, heard);
      assert.deepEqual(
        sw.portStats(() => true)[0]?.dropsByReason,
        portSecurity ? { "forbidden-type": 2 } : {},
      );
    });
  }
});
