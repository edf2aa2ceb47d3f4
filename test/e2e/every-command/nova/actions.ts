import assert from "node:assert/strict";
import { until } from "../../../../pkg/testkit/until.js";
import type { Row } from "../row.js";
import type { Scene } from "../scene.js";

const made = (scene: Scene, wanted?: string) => scene.named(`${scene.name}-made`, wanted);

/** What makes servers, ends them, and changes how they run. */
export const novaActions: readonly Row[] = [
  {
    command: "boot",
    args: [
      ...["--flavor", "m1.nano", "--image", "{image}", "--nic", "net-id={network},tag=front"],
      ...["--meta", "colour=red", "--key-name", "{keypair}", "--user-data", "{directory}/data"],
      ...["--security-groups", "default", "--availability-zone", "nova", "--config-drive", "true"],
      ...["--hint", "group={servergroup}", "--description", "some words", "--tags", "red,blue"],
      ...["--hostname", "other-name", "--admin-pass", "open-sesame", "--poll", "{name}-made"],
    ],
    from: "NONE",
    prints: /adminPass *\| open-sesame/,
    holds: async (scene) => {
      const server = await made(scene);
      assert.equal(server["description"], "some words");
      assert.equal(server["config_drive"], "True");
      assert.equal(server["OS-EXT-SRV-ATTR:hostname"], "other-name");
    },
  },
  {
    command: "boot",
    args: [
      ...[
        "--flavor",
        "m1.nano",
        "--image-with",
        "container_format=bare",
        "--nic",
        "none",
        "--min-count",
        "2",
      ],
      ...["--max-count", "2", "{name}-made"],
    ],
    from: "NONE",
    prints: /-made/,
    holds: async (scene) => {
      for (const one of [1, 2]) await scene.named(`${scene.name}-made-${one}`);
    },
  },
  {
    command: "boot",
    args: [
      ...["--flavor", "m1.nano", "--nic", "net-name=private", "--block-device"],
      ...["source=image,id={image},dest=volume,size=1,bootindex=0,shutdown=remove", "{name}-made"],
    ],
    from: "NONE",
    prints: /Attempt to boot from volume/,
    holds: async (scene) => void (await made(scene)),
  },
  {
    command: "boot",
    args: ["--flavor", "m1.nano", "--boot-volume", "{bootable}", "--nic", "auto", "{name}-made"],
    from: "NONE",
    prints: /Attempt to boot from volume/,
    holds: async (scene) => void (await made(scene)),
  },
  { command: "delete", args: ["{name}", "{other}"], becomes: { status: "SOFT_DELETED" }, prints: /accepted/ },
  { command: "force-delete", args: ["{server}"], becomes: "gone" },
  { command: "restore", args: ["{server}"], from: "SOFT_DELETED", becomes: { status: "ACTIVE" } },
  { command: "stop", args: ["{name}"], becomes: { status: "SHUTOFF" }, prints: /accepted/ },
  {
    command: "start",
    args: ["--all-tenants", "{name}"],
    by: "admin",
    from: "SHUTOFF",
    becomes: { status: "ACTIVE" },
  },
  {
    command: "reboot",
    args: ["--poll", "{server}"],
    prints: /100% complete|Finished/,
    becomes: { status: "ACTIVE" },
  },
  { command: "reboot", args: ["--hard", "{server}"], at: "2.1", becomes: { status: "ACTIVE" } },
  { command: "pause", args: ["{server}"], becomes: { status: "PAUSED" } },
  { command: "unpause", args: ["{server}"], from: "PAUSED", becomes: { status: "ACTIVE" } },
  { command: "suspend", args: ["{server}"], becomes: { status: "SUSPENDED" } },
  { command: "resume", args: ["{server}"], from: "SUSPENDED", becomes: { status: "ACTIVE" } },
  {
    command: "resume",
    args: ["{server}"],
    refused: /Cannot 'resume' instance .* while it is in vm_state active \(HTTP 409\)/,
    because: "it is not suspended",
  },
  {
    command: "rescue",
    args: ["--password", "open-sesame", "{server}"],
    prints: /open-sesame/,
    becomes: { status: "RESCUE" },
  },
  {
    command: "rescue",
    args: ["--image", "{image}", "{server}"],
    at: "2.1",
    prints: /adminPass/,
    becomes: { status: "RESCUE" },
  },
  { command: "unrescue", args: ["{server}"], from: "RESCUE", becomes: { status: "ACTIVE" } },
  { command: "shelve", args: ["{server}"], becomes: { status: "SHELVED" } },
  { command: "unshelve", args: ["{server}"], from: "SHELVED", becomes: { status: "ACTIVE" } },
  {
    command: "shelve-offload",
    args: ["{server}"],
    by: "admin",
    from: "SHELVED",
    becomes: { status: "SHELVED_OFFLOADED" },
  },
  {
    command: "unshelve",
    args: ["--availability-zone", "nova", "{server}"],
    from: "SHELVED",
    refused: /The server status must be SHELVED_OFFLOADED/,
    because: "only a server that has left its host is told where to go",
  },
  {
    command: "resize",
    args: ["--poll", "{server}", "m1.tiny"],
    prints: /100% complete/,
    becomes: { status: "VERIFY_RESIZE", flavor: { original_name: "m1.tiny" } },
  },
  { command: "resize-confirm", args: ["{server}"], from: "VERIFY_RESIZE", becomes: { status: "ACTIVE" } },
  { command: "resize-revert", args: ["{server}"], from: "VERIFY_RESIZE", becomes: { status: "ACTIVE" } },
  {
    command: "resize-revert",
    args: ["{server}"],
    refused: /Cannot 'revertResize' instance .* while it is in vm_state active/,
    because: "it was not resized",
  },
  { command: "migrate", args: ["{server}"], by: "admin", at: "2.1", becomes: { status: "VERIFY_RESIZE" } },
  {
    command: "migrate",
    args: ["--host", "{elsewhere}", "{server}"],
    by: "admin",
    becomes: { status: "VERIFY_RESIZE" },
    holds: async (scene) => {
      const server = await scene.server();
      assert.equal(server?.["OS-EXT-SRV-ATTR:host"], await scene.value("elsewhere"));
    },
  },
  {
    command: "lock",
    args: ["--reason", "some words", "{server}"],
    becomes: { locked: true, locked_reason: "some words" },
  },
  { command: "unlock", args: ["{server}"], at: "2.1", from: "LOCKED", becomes: { locked: false } },
  {
    command: "rebuild",
    args: [
      ...["--name", "{name}-new", "--meta", "colour=red", "--description", "some words"],
      ...["--key-name", "{keypair}", "--rebuild-password", "open-sesame", "--hostname", "another"],
      ...["--user-data", "{directory}/data", "--poll", "{server}", "{image}"],
    ],
    prints: /adminPass *\| open-sesame/,
    becomes: {
      status: "ACTIVE",
      name: /-new$/,
      metadata: { colour: "red" },
      "OS-EXT-SRV-ATTR:hostname": "another",
    },
  },
  {
    command: "rebuild",
    args: [
      "--minimal",
      "--key-unset",
      "--user-data-unset",
      "--trusted-image-certificates-unset",
      "{server}",
      "{image}",
    ],
    prints: /\S/,
    becomes: { status: "ACTIVE", key_name: null },
  },
  { command: "trigger-crash-dump", args: ["{server}"], by: "admin", becomes: { status: "ACTIVE" } },
  { command: "reset-state", args: ["{server}"], by: "admin", becomes: { status: "ERROR" } },
  {
    command: "reset-state",
    args: ["--all-tenants", "--active", "{name}"],
    by: "admin",
    from: "ERROR",
    becomes: { status: "ACTIVE" },
  },
  {
    command: "reset-state",
    args: ["{server}"],
    refused: /Unable to reset the state|os-admin-actions:reset_state/,
    because: "only administrators may",
  },
  {
    command: "reset-network",
    args: ["{server}"],
    by: "admin",
    refused: /HTTP 410/,
    because: "it went with the XenAPI driver; Nova answers 410",
  },
  {
    command: "image-create",
    args: ["--metadata", "colour=red", "--show", "--poll", "{server}", "{name}-image"],
    prints: /-image/,
  },
  { command: "backup", args: ["{server}", "{name}-backup", "daily", "1"], becomes: { status: "ACTIVE" } },
  {
    command: "interface-attach",
    args: ["--net-id", "{network}", "--tag", "front", "{server}"],
    prints: /ACTIVE|port_id|\|/,
    holds: cards(2),
  },
  {
    command: "interface-attach",
    args: ["--port-id", "{port}", "{server}"],
    at: "2.1",
    prints: /./,
    holds: cards(2),
  },
  { command: "interface-detach", args: ["{server}", "{cardport}"], holds: cards(0) },
  { command: "interface-list", args: ["{server}"], prints: /ACTIVE/ },
  {
    command: "volume-attach",
    args: ["--tag", "data", "--delete-on-termination", "{server}", "{volume}"],
    prints: /delete_on_termination *\| True/,
    holds: (scene) => scene.volumeBecomes("in-use"),
  },
  {
    command: "volume-attach",
    args: ["{server}", "{volume}", "/dev/vdb"],
    at: "2.1",
    holds: (scene) => scene.volumeBecomes("in-use"),
  },
  { command: "volume-attachments", args: ["{holder}"], prints: /\/dev\/vd/ },
  {
    command: "volume-detach",
    args: ["{server}", "{attached}"],
    holds: (scene) => scene.volumeBecomes("available"),
  },
  { command: "add-secgroup", args: ["{server}", "{group}"], holds: groups(2) },
  { command: "remove-secgroup", args: ["{server}", "{grouped}"], holds: groups(1) },
  { command: "list-secgroup", args: ["{server}"], prints: /default/ },
];

function cards(wanted: number): (scene: Scene) => Promise<void> {
  return async (scene) => {
    await until(async () => (await scene.interfaces()).length === wanted, {
      timeoutMs: 180_000,
      everyMs: 50,
    });
  };
}

function groups(wanted: number): (scene: Scene) => Promise<void> {
  return async (scene) => {
    const { security_groups: seen } = await scene.read(`/servers/${await scene.serverId}/os-security-groups`);
    assert.equal((seen as unknown[]).length, wanted);
  };
}
