import assert from "node:assert/strict";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { Server as StoredServer } from "../../../gen/kilonova/cells/v1/server.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { SchedulerHints } from "../../../gen/kilonova/type/v1/scheduler_hints.js";
import {
  AttachedVolume,
  DiskConfig,
  PowerState,
  ServerAddress,
  ServerFault,
  ServerHostInfo,
  ServerLock,
  VmState,
} from "../../../gen/kilonova/type/v1/server.js";
import type { ServerMask } from "./server-view.js";
import { presentServer } from "./server-view.js";

const all: ServerMask = {
  hostInfo: true,
  hostStatus: "all",
  extraSpecs: true,
  faultDetails: true,
  userData: true,
};
const at = { seconds: 1n, nanos: 0 };
const host = HostService.fromPartial({ host: "h", up: true, availabilityZone: "" });

/** A record with something in every field that records still have. */
const full: StoredServer = {
  id: "s",
  name: "n",
  projectId: "p",
  userId: "u",
  hostname: "h",
  description: "d",
  hasDescription: true,
  vmState: VmState.VM_STATE_ERROR,
  taskState: "t",
  powerState: PowerState.POWER_STATE_RUNNING,
  createdAt: at,
  updatedAt: at,
  launchedAt: at,
  terminatedAt: at,
  deletedAt: at,
  softDeletedAt: at,
  resizedAt: at,
  flavor: Flavor.fromPartial({ id: "f", extraSpecs: new Map([["a", "b"]]) }),
  image: { id: "i", properties: new Map() },
  metadata: new Map([["a", "b"]]),
  tags: ["t"],
  addresses: [ServerAddress.fromPartial({ address: "192.0.2.1" })],
  accessIpV4: "192.0.2.2",
  accessIpV6: "2001:db8::1",
  configDrive: true,
  diskConfig: DiskConfig.DISK_CONFIG_MANUAL,
  keyName: "k",
  securityGroups: ["g"],
  availabilityZone: "z",
  pinnedAvailabilityZone: "z",
  lock: ServerLock.fromPartial({ lockedBy: "owner", reason: "r" }),
  progress: 7,
  fault: ServerFault.fromPartial({ code: 500, message: "m", details: "d" }),
  trustedImageCertificates: ["c"],
  volumes: [AttachedVolume.fromPartial({ id: "v" })],
  schedulerHintsJson: "",
  schedulerHints: SchedulerHints.fromPartial({ group: "g" }),
  serverGroupId: "g",
  reservationId: "r-1",
  launchIndex: 3,
  userData: Buffer.from("hello").toString("base64"),
  hostId: "stored",
  generation: 9n,
  currentOperation: "o",
  hostInfo: ServerHostInfo.fromPartial({ host: "h", node: "n" }),
  numaTopology: { nodes: [], pageSizeKib: 4n },
  shelving: { imageId: "i", shelvedAt: at },
};
const empty = StoredServer.fromPartial({});

/** Fields of the record that the view does not show, with the reason. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  hostId: "the view computes it from project and host",
  numaTopology: "GetServerTopology tells it, under rules of its own",
  softDeletedAt: "vm_state tells that it can be restored",
  resizedAt: "the migration tells when it finished",
  shelving: "the operation's metadata names the image, as Nova's system metadata does to nobody",
  schedulerHintsJson: "of older records only, and only without schedulerHints",
};
/** Fields of the view that no single field of the record makes. */
const COMPUTED = ["hostId", "hostStatus"];

describe("the tenants' view of a server", () => {
  const fields = Object.keys(empty) as (keyof StoredServer)[];
  const view = (server: StoredServer): Server => presentServer(server, all, host);

  it("is tried with every field of the record", () => {
    const unset = fields.filter((field) => !(field in full));
    assert.deepEqual(unset, []);
    for (const field of fields)
      if (NOT_SHOWN[field] === undefined) assert.notDeepEqual(full[field], empty[field], field);
  });

  for (const field of fields) {
    const reason = NOT_SHOWN[field];
    it(`${reason === undefined ? "shows" : "does not show"} ${field} of the record`, () => {
      const without: StoredServer = { ...full, [field]: empty[field] };
      if (reason === undefined) assert.notDeepEqual(view(without), view(full));
      else assert.deepEqual(view(without), view(full), reason);
    });
  }

  it("fills every field that it has", () => {
    const none = Server.fromPartial({});
    const shown = view(full);
    for (const field of Object.keys(none) as (keyof Server)[])
      assert.notDeepEqual(shown[field], none[field], field);
    for (const field of COMPUTED) assert.ok(field in none);
  });

  it("has nothing where the record has an empty text", () => {
    const shown = presentServer(empty, all, undefined);
    assert.deepEqual(
      Object.entries(shown).filter(([name, value]) => value === "" && !REQUIRED.has(name)),
      [],
    );
  });

  it("has nothing where a part of the record has an empty text", () => {
    const nowhere = Object.fromEntries(Object.keys(ServerHostInfo.fromPartial({})).map((key) => [key, ""]));
    const unknown = { macAddress: "", portId: "", networkId: "", subnetId: "" };
    const shown = view({
      ...full,
      image: { id: "", properties: new Map() },
      addresses: [ServerAddress.fromPartial({ address: "192.0.2.1", ...unknown })],
      fault: ServerFault.fromPartial({ code: 500, message: "m", details: "", reason: "" }),
      hostInfo: nowhere,
      lock: { lockedBy: "owner", reason: "" },
    });
    assert.ok(Object.keys(nowhere).length >= 9);
    assert.deepEqual(shown.hostInfo, ServerHostInfo.fromPartial({}));
    assert.deepEqual([shown.image?.id, shown.lock?.reason], [undefined, undefined]);
    assert.deepEqual(shown.addresses, [ServerAddress.fromPartial({ address: "192.0.2.1" })]);
    assert.deepEqual(shown.fault, ServerFault.fromPartial({ code: 500, message: "m" }));
  });

  it("tells a description that is empty from none", () => {
    assert.equal(view({ ...full, description: "" }).description, "");
    assert.equal(view({ ...full, description: "", hasDescription: false }).description, undefined);
  });

  it("decodes user data, and only for those who may see it", () => {
    assert.equal(view(full).userData?.toString(), "hello");
    assert.equal(presentServer(full, { ...all, userData: false }, host).userData, undefined);
  });

  it("shows the hints of a record that has them as JSON", () => {
    const { schedulerHints } = view({
      ...full,
      schedulerHints: undefined,
      schedulerHintsJson: `{"same_host": "a", "different_host": ["b"], "mine": [1, "c"]}`,
    });
    assert.deepEqual(
      schedulerHints,
      SchedulerHints.fromPartial({
        sameHost: ["a"],
        differentHost: ["b"],
        others: new Map([["mine", { values: ["1", "c"] }]]),
      }),
    );
  });
});

/** Texts that every server has. */
const REQUIRED = new Set(["id", "name", "projectId", "userId", "hostname", "reservationId"]);
