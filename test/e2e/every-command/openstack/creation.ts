import assert from "node:assert/strict";
import type { Row } from "../row.js";
import type { Scene } from "../scene.js";

const BOOT = ["--image={image}", "--flavor=m1.nano", "--network=private"] as const;
/** The options of one row, on a server called `{name}-made`. */
const create = (...options: readonly string[]): string[] => [...BOOT, ...options, "{name}-made"];
const made = (scene: Scene, wanted?: string) => scene.named(`${scene.name}-made`, wanted);

/** What makes servers, makes them anew and ends them. */
export const creation: readonly Row[] = [
  {
    command: "server create",
    args: create("--wait"),
    at: "2.1",
    from: "NONE",
    json: { status: "ACTIVE", addresses: /private/, flavor: /m1.nano/, image: /kilonova-blank/ },
  },
  {
    command: "server create",
    args: create(
      ...["--property=colour=red", "--user-data={directory}/data", "--key-name={keypair}"],
      ...["--security-group={group}", "--availability-zone=nova", "--use-config-drive", "--wait"],
    ),
    at: "2.1",
    from: "NONE",
    json: { properties: /colour.*red/, config_drive: "True", key_name: /-key$/ },
    holds: async (scene) => {
      const server = await made(scene);
      assert.deepEqual(server["security_groups"], [{ name: `${scene.name}-group` }]);
      assert.deepEqual(server["metadata"], { colour: "red" });
    },
  },
  {
    command: "server create",
    args: create("--file=/etc/motd={directory}/data", "--password=open-sesame"),
    at: "2.1",
    from: "NONE",
    prints: /adminPass *\| open-sesame/,
    holds: async (scene) => void (await made(scene)),
  },
  {
    command: "server create",
    args: create("--hostname=other-name", "--description=words", "--tag=red", "--tag=blue"),
    from: "NONE",
    holds: async (scene) => {
      const server = await made(scene);
      assert.equal(server["OS-EXT-SRV-ATTR:hostname"], "other-name");
      assert.equal(server["description"], "words");
      assert.deepEqual((server["tags"] as string[]).sort(), ["blue", "red"]);
    },
  },
  {
    command: "server create",
    args: create("--min=2", "--max=3"),
    at: "2.1",
    from: "NONE",
    holds: async (scene) => {
      for (const one of [1, 2, 3]) await scene.named(`${scene.name}-made-${one}`);
    },
  },
  {
    command: "server create",
    args: create("--hint=group={servergroup}", "--wait"),
    from: "NONE",
    holds: async (scene) => {
      const { server_group: group } = await scene.read(
        `/os-server-groups/${await scene.value("servergroup")}`,
      );
      assert.deepEqual((group as { members: string[] }).members, [(await made(scene))["id"]]);
    },
  },
  {
    command: "server create",
    args: ["--image={image}", "--flavor=m1.nano", "--port={port}", "--wait", "{name}-made"],
    from: "NONE",
    json: { addresses: /private/ },
  },
  {
    command: "server create",
    args: [
      "--image={image}",
      "--flavor=m1.nano",
      "--nic=net-id={network},tag=front",
      "--wait",
      "{name}-made",
    ],
    from: "NONE",
    json: { addresses: /private/ },
  },
  {
    command: "server create",
    args: ["--image={image}", "--flavor=m1.nano", "--nic=none", "--wait", "{name}-made"],
    from: "NONE",
    json: { status: "ACTIVE", addresses: /^(\{\})?$/ },
  },
  {
    command: "server create",
    args: [
      "--image-property=container_format=bare",
      "--flavor=m1.nano",
      "--nic=auto",
      "--wait",
      "{name}-made",
    ],
    from: "NONE",
    json: { status: "ACTIVE", addresses: /private/ },
  },
  {
    command: "server create",
    args: ["--image={image}", "--flavor=m1.nano", "--network=private", "--host={host}", "{name}-made"],
    by: "admin",
    from: "NONE",
    holds: async (scene) => {
      assert.equal((await made(scene))["OS-EXT-SRV-ATTR:host"], await scene.value("host"));
    },
  },
  {
    command: "server create",
    args: [
      "--image={image}",
      "--flavor=m1.nano",
      "--network=private",
      "--hypervisor-hostname={host}",
      "{name}-made",
    ],
    by: "admin",
    from: "NONE",
    holds: async (scene) => {
      assert.equal((await made(scene))["OS-EXT-SRV-ATTR:host"], await scene.value("host"));
    },
  },
  {
    command: "server create",
    args: [
      "--image={image}",
      "--boot-from-volume=1",
      "--flavor=m1.nano",
      "--network=private",
      "--wait",
      "{name}-made",
    ],
    from: "NONE",
    json: { status: "ACTIVE", volumes_attached: /id/ },
  },
  {
    command: "server create",
    args: create(
      "--block-device=uuid={volume},source_type=volume,destination_type=volume,tag=data",
      "--wait",
    ),
    from: "NONE",
    holds: async (scene) => {
      const { id } = await made(scene);
      const { volumeAttachments } = await scene.read(`/servers/${String(id)}/os-volume_attachments`);
      const [one] = volumeAttachments as { volumeId: string; tag: string }[];
      assert.deepEqual([one?.volumeId, one?.tag], [await scene.value("volume"), "data"]);
    },
  },
  {
    command: "server create",
    args: ["--volume={bootable}", "--flavor=m1.nano", "--network=private", "--wait", "{name}-made"],
    from: "NONE",
    json: { status: "ACTIVE", image: /booted from volume/ },
  },
  {
    command: "server create",
    args: ["--snapshot={snapshot}", "--flavor=m1.nano", "--network=private", "--wait", "{name}-made"],
    from: "NONE",
    json: { status: "ACTIVE", image: /booted from volume/ },
  },
  {
    command: "server create",
    args: [
      "--image={image}",
      "--flavor={newflavor roomy}",
      "--nic=none",
      "--swap=64",
      "--ephemeral=size=1,format=ext4",
      "--wait",
      "{name}-made",
    ],
    from: "NONE",
    json: { status: "ACTIVE" },
  },
  {
    command: "server create",
    args: create("--trusted-image-cert=0b5d2c72-12cc-4ba6-a8d7-3ff5cc1d8cb8"),
    from: "NONE",
    holds: async (scene) => {
      const { trusted_image_certificates: certificates } = await made(scene);
      assert.deepEqual(certificates, ["0b5d2c72-12cc-4ba6-a8d7-3ff5cc1d8cb8"]);
    },
  },
  {
    command: "server delete",
    args: ["{server}"],
    becomes: { status: "SOFT_DELETED" },
  },
  { command: "server delete", args: ["--force", "--wait", "{name}", "{other}"], becomes: "gone" },
  { command: "server delete", args: ["--all-projects", "--force", "{name}"], by: "admin", becomes: "gone" },
  { command: "server restore", args: ["{server}"], from: "SOFT_DELETED", becomes: { status: "ACTIVE" } },
  {
    command: "server rebuild",
    args: ["--image={image}", "--property=colour=red", "--password=open-sesame", "--wait", "{server}"],
    at: "2.1",
    becomes: { status: "ACTIVE", metadata: { colour: "red" } },
    prints: /adminPass *\| open-sesame/,
  },
  {
    command: "server rebuild",
    args: [
      ...["--name={name}-new", "--description=after", "--key-name={keypair}", "--hostname=another"],
      ...["--user-data={directory}/data", "{server}"],
    ],
    becomes: {
      status: "ACTIVE",
      name: /-new$/,
      description: "after",
      key_name: /-key$/,
      "OS-EXT-SRV-ATTR:hostname": "another",
    },
  },
  {
    command: "server rebuild",
    args: [
      "--no-key-name",
      "--no-user-data",
      "--no-trusted-image-certs",
      "--no-preserve-ephemeral",
      "{server}",
    ],
    becomes: { status: "ACTIVE", key_name: null, "OS-EXT-SRV-ATTR:user_data": null },
  },
  {
    command: "server image create",
    args: ["--name={name}-image", "--property=colour=red", "--wait", "{server}"],
    json: { name: /-image$/, status: "active" },
  },
  {
    command: "server backup create",
    args: ["--name={name}-backup", "--type=daily", "--rotate=1", "--wait", "{server}"],
    json: { name: /-backup$/ },
    becomes: { status: "ACTIVE" },
  },
];
