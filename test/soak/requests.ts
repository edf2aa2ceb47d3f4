import type { DescEnum, DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { actionBodies } from "../../pkg/gateway/resources/servers/actions/index.gen.js";
import { MAX_VERSION } from "../../pkg/gateway/microversion/version.js";
import { fromSchema } from "../e2e/bad-input/fuzz/from-schema.js";
import type { Fitting } from "../e2e/bad-input/fuzz/from-schema.js";
import type { Random } from "../e2e/bad-input/fuzz/random.js";

/** What requests may name. */
export interface Things {
  readonly serverId: string;
  readonly clientToken: string;
  readonly imageIds: readonly string[];
  readonly flavorId: string;
  readonly networkId: string;
  /** Of the server, or free ones of its project. */
  readonly portIds: readonly string[];
  readonly aggregateId: string;
  /** What may be attached or detached. */
  readonly volumeIds: readonly string[];
}

const NAMES = ["anew", "web", "db", "soak"] as const;
/** Volumes came to servers by 2.0; what they can be told grew in these versions. */
const VOLUME_VERSIONS = [1, 20, 49, 60, 79, 89, 101, MAX_VERSION] as const;
const VERSIONS = [1, 37, 60, 79, 96, MAX_VERSION] as const;

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  readonly body?: unknown;
}

/**
 * A request of a declared action. What its body looks like comes from the schema of the gateway, so that new
 * actions need nothing here; what a known field should say is below.
 */
export function actionRequest(key: string, things: Things, random: Random): RestRequest {
  const version = random.pick(VERSIONS);
  const declared = actionBodies.find((one) => one.key === key);
  const body =
    declared === undefined
      ? { [key]: null }
      : fromSchema(declared.body({ version, legacy: false }), random, fittingOf(things));
  return {
    method: "POST",
    path: `/servers/${things.serverId}/action`,
    version: `2.${version}`,
    body,
  };
}

/** The requests that attach and detach volumes, which are no actions. */
export function volumeRequest(name: string, things: Things, random: Random): RestRequest | undefined {
  const version = random.pick(VOLUME_VERSIONS);
  const path = `/servers/${things.serverId}/os-volume_attachments`;
  const volumeId = things.volumeIds.length > 0 ? random.pick(things.volumeIds) : things.serverId;
  if (name === "DetachVolume")
    return { method: "DELETE", path: `${path}/${volumeId}`, version: `2.${version}` };
  if (name !== "AttachVolume") return undefined;
  const volumeAttachment = {
    volumeId,
    ...(random.chance(0.2) ? { device: `/dev/vd${random.pick([..."bcdxyz"])}` } : {}),
    ...(version >= 49 && random.chance(0.2) ? { tag: random.pick(NAMES) } : {}),
    ...(version >= 79 ? { delete_on_termination: random.chance(0.5) } : {}),
  };
  return { method: "POST", path, version: `2.${version}`, body: { volumeAttachment } };
}

function fittingOf({ serverId, imageIds, flavorId }: Things): Fitting {
  return {
    ids: [serverId, ...imageIds],
    texts: NAMES,
    byKey: {
      imageRef: imageIds,
      flavorRef: [flavorId],
      rescue_image_ref: imageIds,
      name: NAMES,
      hostname: NAMES,
      description: NAMES,
      adminPass: ["secret-1"],
      backup_type: ["daily", "weekly"],
      rotation: [0, 1, 2],
      type: ["SOFT", "HARD"],
      locked_reason: NAMES,
      state: ["active", "error"],
      metadata: [{}, { a: "b" }],
      personality: [[]],
      key_name: [null],
      trusted_image_certificates: [null],
      accessIPv4: ["192.0.2.7"],
      accessIPv6: ["2001:db8::7"],
      user_data: ["IyEvYmluL3NoCg=="],
    },
  };
}

/** The same for a method, from its proto; in proto's JSON. */
export function callRequest(method: DescMethod, things: Things, random: Random): unknown {
  return messageOf(method.input, things, random, 0);
}

/** What of a message is left out only now and then. Other fields come in one of eight. */
const LIKELY =
  /^(server_ids?|client_token|image_ids?|flavor_id|port_id|volume_id|name|events|aggregate_id|vm_state)$/;
const LIKELIER =
  /^(rotation|backup_type|security_group|status|type|admin_password|tag|network_id|delete_on_termination)$/;

function messageOf(message: DescMessage, things: Things, random: Random, depth: number): unknown {
  if (message.typeName === "google.protobuf.Duration") return random.pick(["0s", "0.2s"]);
  if (message.typeName === "google.protobuf.Timestamp") return "2026-01-01T00:00:00Z";
  if (message.typeName === "google.protobuf.FieldMask") return random.pick(["name", "description", ""]);
  return Object.fromEntries(
    message.fields
      .filter(
        ({ name }) =>
          name === "server_id" ||
          random.chance(LIKELY.test(name) ? 0.9 : LIKELIER.test(name) ? 0.6 : depth === 0 ? 0.12 : 0.02),
      )
      .map((field) => [field.jsonName, fieldOf(field, things, random, depth)]),
  );
}

function fieldOf(field: DescField, things: Things, random: Random, depth: number): unknown {
  const one = (): unknown =>
    field.message
      ? depth > 2
        ? {}
        : messageOf(field.message, things, random, depth + 1)
      : field.enum
        ? valueOf(field.enum, random)
        : scalarOf(field, things, random);
  if (field.fieldKind === "list") return Array.from({ length: 1 + random.below(2) }, one);
  if (field.fieldKind === "map") return {};
  return one();
}

/** Zero says nothing. */
const valueOf = ({ values }: DescEnum, random: Random): number =>
  random.pick(values.filter(({ number }) => number > 0)).number;

function scalarOf({ name, scalar }: DescField, things: Things, random: Random): unknown {
  switch (scalar) {
    case ScalarType.STRING:
      return textOf(name, things, random);
    case ScalarType.BOOL:
      return random.chance(0.5);
    case ScalarType.BYTES:
      return Buffer.from("#!/bin/sh\n").toString("base64");
    default:
      return random.below(3);
  }
}

function textOf(name: string, things: Things, random: Random): string {
  if (/^server_ids?$/.test(name)) return things.serverId;
  if (name === "client_token") return things.clientToken;
  if (/^image_ids?$/.test(name)) return random.pick(things.imageIds);
  if (name === "flavor_id") return things.flavorId;
  if (name === "network_id") return things.networkId;
  if (name === "aggregate_id") return things.aggregateId;
  if (name === "port_id") return things.portIds.length > 0 ? random.pick(things.portIds) : "";
  if (name === "volume_id") return things.volumeIds.length > 0 ? random.pick(things.volumeIds) : "";
  // What an event names.
  if (name === "tag") return random.pick(things.portIds.length > 0 ? things.portIds : NAMES);
  if (name === "device") return `/dev/vd${random.pick([..."bcdxyz"])}`;
  if (name === "security_group") return random.pick(["default", "soak"]);
  if (name === "backup_type") return random.pick(["daily", "weekly"]);
  if (/address|_ip/.test(name)) return "192.0.2.8";
  return random.pick(NAMES);
}
