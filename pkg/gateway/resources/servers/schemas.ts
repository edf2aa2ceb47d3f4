import { between, since, until } from "../../microversion/version.js";
import {
  anything,
  array,
  boolean,
  choice,
  description,
  hostName,
  integer,
  ipAddress,
  KEY_PATTERN,
  looseName,
  MAX_INT,
  name,
  nullableText,
  object,
  oneOf,
  optional,
  query,
  required,
  tag,
  text,
  uuid,
} from "../../schema/nodes.js";
import type { Field, Node, When } from "../../schema/nodes.js";
import { schedulerHints } from "./hints-schema.js";

/** A name, strict in `/v2.1` and forgiving in `/v2`. */
export const nameFields = (key: string, make: (key: string, node: Node, when: When) => Field): Field[] => [
  make(key, name, { legacy: "never" }),
  make(key, looseName, { legacy: "only" }),
];

export const metadataOfServer = object([], { patterns: { [KEY_PATTERN]: text({ maxLength: 255 }) } });
const deviceName = text({ minLength: 1, maxLength: 255, pattern: "^[a-zA-Z0-9._/-]*$" });
const base64 = text({ format: "base64" });

const network = (id: Node): Node =>
  object([
    optional("fixed_ip", ipAddress),
    optional("port", nullableText({ format: "uuid" })),
    optional("uuid", id),
    // Refused from 2.37 to 2.41: a mistake of the reference that became part of the contract.
    optional("tag", tag, between("2.32", "2.36")),
    optional("tag", tag, since("2.42")),
  ]);
const networkList = array(network(text()));
const networkChoice = oneOf(array(network(uuid)), choice("none", "auto"));

const deviceFields: readonly Field[] = [
  optional("virtual_name", text({ maxLength: 255 })),
  optional("volume_id", uuid),
  optional("snapshot_id", uuid),
  optional("volume_size", integer({ min: 1, max: MAX_INT })),
  optional("device_name", deviceName),
  optional("delete_on_termination", boolean),
  optional("no_device", anything),
  optional("connection_info", text({ maxLength: 16_777_215 })),
];
const deviceV2 = object([
  ...deviceFields,
  optional("source_type", choice("volume", "image", "snapshot", "blank")),
  optional("uuid", text({ minLength: 1, maxLength: 255, pattern: "^[a-zA-Z0-9._-]*$" })),
  optional("image_id", uuid),
  optional("destination_type", choice("local", "volume")),
  optional("guest_format", text({ maxLength: 255 })),
  optional("device_type", text({ maxLength: 255 })),
  optional("disk_bus", text({ maxLength: 255 })),
  optional("boot_index", integer({ max: "cut", pattern: "^-?[0-9]+$", nullable: true })),
  optional("tag", tag, between("2.32", "2.32")),
  optional("tag", tag, since("2.42")),
  optional("volume_type", nullableText({ maxLength: 255 }), since("2.67")),
]);

/** Host names inside the guest: one label at first, then a whole domain name. */
const guestHostname: Field[] = [
  optional(
    "hostname",
    text({ minLength: 2, maxLength: 63, pattern: "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$" }),
    between("2.90", "2.93"),
  ),
  optional("hostname", hostName, since("2.94")),
];
/** What create, update and rebuild have in common. */
export const editable: readonly Field[] = [
  optional("OS-DCF:diskConfig", choice("AUTO", "MANUAL")),
  optional("accessIPv4", text({ format: "ipv4" })),
  optional("accessIPv6", text({ format: "ipv6" })),
  optional("description", description(255), since("2.19")),
  ...guestHostname,
];

export const personality = optional(
  "personality",
  array(object([optional("path", text()), optional("contents", base64)])),
  until("2.56"),
);
export const trustedCertificates = optional(
  "trusted_image_certificates",
  () => ({
    type: ["array", "null"],
    items: { type: "string", minLength: 1 },
    minItems: 1,
    maxItems: 50,
    uniqueItems: true,
  }),
  since("2.63"),
);

/** A flavor, by its id or its address. */
export const flavorRef: Node = () => ({ type: ["string", "integer"], minLength: 1 });

const newServer = object([
  ...nameFields("name", required),
  ...editable,
  optional("imageRef", oneOf(uuid, text({ maxLength: 0 }))),
  required("flavorRef", flavorRef),
  optional("adminPass", text()),
  optional("metadata", metadataOfServer),
  optional("networks", networkList, until("2.36")),
  required("networks", networkChoice, since("2.37")),
  personality,
  ...nameFields("availability_zone", optional),
  optional("block_device_mapping", array(object(deviceFields))),
  optional("block_device_mapping_v2", array(deviceV2)),
  optional("config_drive", boolean),
  ...nameFields("key_name", optional),
  optional("min_count", integer({ min: 1, max: "cut", pattern: "^[0-9]*$" })),
  optional("max_count", integer({ min: 1, max: "cut", pattern: "^[0-9]*$" })),
  optional("return_reservation_id", boolean),
  optional("security_groups", array(object(nameFields("name", optional)))),
  optional("user_data", text({ format: "base64", maxLength: 65_535 }), { legacy: "never" }),
  optional("user_data", nullableText({ format: "base64", maxLength: 65_535 }), { legacy: "only" }),
  optional("tags", array(tag, { maxItems: 50 }), since("2.52")),
  trustedCertificates,
  optional("host", hostName, since("2.74")),
  optional("hypervisor_hostname", hostName, since("2.74")),
]);

export const createServerBody: Node = object([
  required("server", newServer),
  optional("os:scheduler_hints", schedulerHints),
  optional("OS-SCH-HNT:scheduler_hints", schedulerHints),
]);

export const updateServerBody: Node = object([
  required(
    "server",
    object([
      ...nameFields("name", optional),
      ...editable,
      optional("pinned_availability_zone", nullableText({ minLength: 1, maxLength: 255 }), since("2.104")),
    ]),
  ),
]);

export const consoleOutputBody: Node = object([
  required(
    "os-getConsoleOutput",
    object([optional("length", integer({ min: -1, max: "cut", pattern: "^-?[0-9]+$", nullable: true }))]),
  ),
]);

/** Reads of one server. */
export const noParameters: Node = query(since("2.102"));
