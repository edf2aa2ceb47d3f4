import assert from "node:assert/strict";
import { until } from "../../../../pkg/testkit/until.js";
import type { Row } from "../row.js";
import type { Scene } from "../scene.js";

const cards =
  (wanted: number) =>
  async (scene: Scene): Promise<void> => {
    await until(async () => (await scene.interfaces()).length === wanted, {
      timeoutMs: 180_000,
      everyMs: 50,
      what: `the server to have ${wanted} cards`,
    });
  };

/** What is put into a server while it runs, and taken out of it. */
export const attachments: readonly Row[] = [
  { command: "server add port", args: ["{server}", "{port}"], at: "2.1", holds: cards(2), prints: /^$/ },
  { command: "server add port", args: ["--tag=front", "{server}", "{port}"], holds: cards(2) },
  { command: "server remove port", args: ["{server}", "{cardport}"], holds: cards(0) },
  { command: "server add network", args: ["{server}", "private"], at: "2.1", holds: cards(2) },
  { command: "server add network", args: ["--tag=back", "{server}", "{network}"], holds: cards(2) },
  { command: "server remove network", args: ["{server}", "private"], holds: cards(0) },
  {
    command: "server add fixed ip",
    args: ["{server}", "private"],
    at: "2.1",
    holds: async (scene) => {
      await until(async () => (await scene.addresses()).length === 2, { timeoutMs: 180_000, everyMs: 50 });
    },
  },
  {
    command: "server add fixed ip",
    args: ["--tag=front", "{server}", "{network}"],
    json: { "Port ID": /-/ },
    holds: cards(2),
  },
  {
    command: "server add fixed ip",
    args: ["--fixed-ip-address={free}", "{server}", "{network}"],
    refused: /It is not allowed/,
    because: "on a shared network only its owner chooses addresses, as in Neutron",
  },
  {
    command: "server remove fixed ip",
    args: ["{server}", "{address}"],
    at: "2.1",
    refused: /remove_fixed_ip/,
    because: "the client calls what python-novaclient 18 has no more; nothing reaches the server",
  },
  {
    command: "server add floating ip",
    args: ["{server}", "{floating}"],
    holds: async (scene) => assert.equal(await scene.floatingPort(), await scene.value("cardport")),
  },
  {
    command: "server remove floating ip",
    args: ["{server}", "{led}"],
    holds: async (scene) => assert.equal(await scene.floatingPort(), null),
  },
  {
    command: "server add security group",
    args: ["{server}", "{group}"],
    at: "2.1",
    holds: async (scene) => {
      const { security_groups: groups } = await scene.read(
        `/servers/${await scene.serverId}/os-security-groups`,
      );
      const names = (groups as { name: string }[]).map(({ name }) => name).sort();
      assert.deepEqual(names, ["default", `${scene.name}-group`]);
    },
  },
  {
    command: "server remove security group",
    args: ["{server}", "{grouped}"],
    holds: async (scene) => {
      const { security_groups: groups } = await scene.read(
        `/servers/${await scene.serverId}/os-security-groups`,
      );
      assert.deepEqual(
        (groups as { name: string }[]).map(({ name }) => name),
        ["default"],
      );
    },
  },
  {
    command: "server add volume",
    args: ["--device=/dev/vdb", "{server}", "{volume}"],
    at: "2.1",
    json: { Device: /^\/dev\/vd/ },
    holds: (scene) => scene.volumeBecomes("in-use"),
  },
  {
    command: "server add volume",
    args: ["--tag=data", "--enable-delete-on-termination", "{server}", "{volume}"],
    json: { Tag: "data", "Delete On Termination": true },
    holds: (scene) => scene.volumeBecomes("in-use"),
  },
  {
    command: "server volume list",
    args: ["{server}"],
    from: "ACTIVE",
    prints: /^\[\]$|^$/,
  },
  {
    command: "server volume list",
    args: ["{holder}"],
    json: { Device: /^\/dev\/vd/, "Delete On Termination?": false, "Volume ID": /-/ },
  },
  {
    command: "server volume update",
    args: ["--delete-on-termination", "{server}", "{attached}"],
    holds: (scene) => scene.diesWithServer(true),
  },
  {
    command: "server volume update",
    args: ["--preserve-on-termination", "{server}", "{attached}"],
    holds: (scene) => scene.diesWithServer(false),
  },
  {
    command: "server remove volume",
    args: ["{server}", "{attached}"],
    holds: (scene) => scene.volumeBecomes("available"),
  },
];
