import { pageParameters } from "../../http/paging.js";
import type { Span } from "../../microversion/version.js";
import { between, since, until } from "../../microversion/version.js";
import { choice, parameter, query, text } from "../../schema/nodes.js";
import type { Field, Node } from "../../schema/nodes.js";
import { sortFields } from "./sort.js";

/** Columns that lists can be sorted by; `locked` from a version of its own on. */
const sortable = [...sortFields.keys()].filter((key) => key !== "locked");
/** Accepted without effect until 2.74. */
const ignoredSortKeys = [
  "architecture",
  "cell_name",
  "cleaned",
  "default_ephemeral_device",
  "default_swap_device",
  "deleted",
  "deleted_at",
  "disable_terminate",
  "ephemeral_gb",
  "ephemeral_key_uuid",
  "id",
  "key_data",
  "launched_on",
  "memory_mb",
  "os_type",
  "reservation_id",
  "root_gb",
  "shutdown_terminate",
  "user_data",
  "vcpus",
  "vm_mode",
];

const texts = (...names: readonly string[]): Field[] => names.map((name) => parameter(name, text()));
const regexes = (names: readonly string[], span?: Span): Field[] =>
  names.map((name) => parameter(name, text({ format: "regex" }), span ? { span } : {}));
const time = text({ format: "date-time" });

/** Filters, sort and paging of `GET /servers` and `/servers/detail`. */
export const listServersQuery: Node = query(
  since("2.75"),
  [
    ...texts(
      "user_id",
      "project_id",
      "tenant_id",
      "launch_index",
      "image_ref",
      "image",
      "vm_state",
      "task_state",
      "host",
      "uuid",
      "sort_dir",
      "all_tenants",
      "soft_deleted",
      "deleted",
      "status",
      "block_device_mapping",
      "services",
      "metadata",
      "system_metadata",
      "info_cache",
      "security_groups",
      "pci_devices",
    ),
    ...regexes([
      "kernel_id",
      "ramdisk_id",
      "hostname",
      "key_name",
      "power_state",
      "node",
      "flavor",
      "reservation_id",
      "launched_at",
      "terminated_at",
      "availability_zone",
      "name",
      "display_name",
      "description",
      "display_description",
      "locked_by",
      "root_device_name",
      "config_drive",
      "access_ip_v4",
      "access_ip_v6",
      "auto_disk_config",
      "progress",
      "ip",
      "ip6",
      "created_at",
    ]),
    ...regexes(["tags", "tags-any", "not-tags", "not-tags-any"], since("2.26")),
    parameter("changes-since", time),
    parameter("changes-before", time, { span: since("2.66") }),
    parameter("locked", text(), { span: since("2.73") }),
    parameter("sort_key", choice(...sortable, ...ignoredSortKeys, "locked"), { span: until("2.72") }),
    parameter("sort_key", choice("locked", ...sortable, ...ignoredSortKeys), {
      span: between("2.73", "2.74"),
    }),
    parameter("sort_key", choice("locked", ...sortable), { span: since("2.75") }),
    ...pageParameters(),
  ],
  { patterns: { "^_": text() } },
);
