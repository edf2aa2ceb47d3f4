import { since, until } from "../../microversion/version.js";
import {
  boolean,
  choice,
  hostName,
  object,
  optional,
  parameter,
  query,
  required,
  text,
} from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

export const listServicesQuery: Node = query(since("2.75"), [
  parameter("host", text()),
  parameter("binary", text()),
]);

export const updateServiceBody: Node = object([
  required("host", hostName, until("2.52")),
  required("binary", text({ minLength: 1, maxLength: 255 }), until("2.52")),
  optional("disabled_reason", text({ minLength: 1, maxLength: 255 })),
  optional("forced_down", boolean, since("2.11")),
  optional("status", choice("enabled", "disabled"), since("2.53")),
]);
