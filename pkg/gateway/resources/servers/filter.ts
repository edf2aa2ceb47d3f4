import type { ServerFilter } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { ServerText } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { parseIso } from "../../../kernel/index.js";
import type { Timestamp } from "../../../../gen/google/protobuf/timestamp.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { booleanWord } from "../../http/words.js";
import type { Span } from "../../microversion/version.js";
import { always, inSpan, since } from "../../microversion/version.js";
import { readUserRegex } from "../../../platform/regex/index.js";
import { powerStateOf, vmStateOf } from "../../../model/instance-states.js";
import { statesOfStatuses } from "./states.js";
import { toTimestamp } from "../../../model/wire-time.js";

type Filter = { -readonly [K in keyof ServerFilter]?: ServerFilter[K] } & {
  /** Some value is one that no server can have. */ matchNothing?: true;
};
/** Puts one parameter into the filter. `values` has at least one entry. */
type Reader = (filter: Filter, value: string, values: readonly string[], where: Where) => void;
/** Which parameter of which request it is. */
interface Where {
  readonly name: string;
  readonly request: ApiRequest;
}

/** An unknown status is a mistake rather than a list without servers. */
const unknownStatusRefused = since("2.38");

/**
 * What callers without the policy for all filters may use, and from when on. The rest is dropped, as if it
 * had not been sent.
 */
const openFilters: ReadonlyMap<string, Span> = new Map<string, Span>([
  ...["reservation_id", "name", "status", "image", "flavor", "ip", "changes-since", "all_tenants"].map(
    (name) => [name, always] as const,
  ),
  ["ip6", since("2.5")],
  ...["tags", "tags-any", "not-tags", "not-tags-any"].map((name) => [name, since("2.26")] as const),
  ["changes-before", since("2.66")],
  ["locked", since("2.73")],
  ...[
    "availability_zone",
    "config_drive",
    "key_name",
    "created_at",
    "launched_at",
    "terminated_at",
    "power_state",
    "task_state",
    "vm_state",
    "progress",
    "user_id",
  ].map((name) => [name, since("2.83")] as const),
  ["hostname", since("2.90")],
]);

/** Relations of the record that nobody can filter by. */
const invalidFilters = new Set([
  "block_device_mapping",
  "services",
  "metadata",
  "system_metadata",
  "info_cache",
  "security_groups",
  "pci_devices",
]);

const bad = (message: string): Error => GatewayErrors.BAD_REQUEST({ message });
const tagList = (value: string): string[] => value.split(",").filter((tag) => tag !== "");
const strictBoolean = (value: string, name: string): boolean => {
  const word = booleanWord(value);
  if (word === undefined) throw bad(`Unrecognized value '${value}' for ${name}: a boolean word is expected.`);
  return word;
};
const time = (value: string): Timestamp | undefined => {
  const at = parseIso(value);
  return at === undefined ? undefined : toTimestamp(at);
};
/** A value that no server can have. */
const orNothing = <T>(filter: Filter, value: T | undefined, put: (value: T) => void): void => {
  if (value === undefined) filter.matchNothing = true;
  else put(value);
};
/** Parameters that say nothing when they are empty. */
const unlessEmpty =
  (reader: Reader): Reader =>
  (filter, value, values, where) => {
    if (value !== "") reader(filter, value, values, where);
  };
/** No server has a longer name, id or address of anything. */
const LONGEST = 255;
const exact = (key: "imageId" | "flavorId" | "host" | "userId" | "projectId"): Reader =>
  unlessEmpty((filter, value) =>
    orNothing(filter, value.length <= LONGEST ? value : undefined, (text) => {
      filter[key] = text;
    }),
  );
const regex = (key: "nameRegex" | "hostnameRegex" | "ipRegex" | "ip6Regex"): Reader =>
  unlessEmpty((filter, value, _values, { name }) => {
    filter[key] = checkedRegex(name, value);
  });
/** A regular expression over the text of one field. */
const matches =
  (field: ServerText): Reader =>
  (filter, value, _values, { name }) => {
    (filter.textMatches ??= []).push({ field, regex: checkedRegex(name, value) });
  };
/** A point in time where it is one; else a regular expression over its text. */
const timeOrMatches =
  (key: "createdAt" | "launchedAt" | "terminatedAt", field: ServerText): Reader =>
  (filter, value, values, where) => {
    // A day alone is the beginning of a text, as in Nova, and not its midnight.
    const at = value.includes(":") ? time(value) : undefined;
    if (at === undefined) matches(field)(filter, value, values, where);
    else filter[key] = at;
  };
function checkedRegex(name: string, value: string): string {
  const { problem } = readUserRegex(value);
  if (problem !== undefined) throw bad(`Invalid input for query parameters ${name}: it ${problem}.`);
  return value;
}

const readers: Readonly<Record<string, Reader>> = {
  name: regex("nameRegex"),
  display_name: regex("nameRegex"),
  hostname: regex("hostnameRegex"),
  ip: regex("ipRegex"),
  ip6: regex("ip6Regex"),
  image: exact("imageId"),
  image_ref: exact("imageId"),
  flavor: exact("flavorId"),
  host: exact("host"),
  user_id: exact("userId"),
  project_id: exact("projectId"),
  tenant_id: exact("projectId"),
  access_ip_v4: matches(ServerText.SERVER_TEXT_ACCESS_IP_V4),
  access_ip_v6: matches(ServerText.SERVER_TEXT_ACCESS_IP_V6),
  auto_disk_config: matches(ServerText.SERVER_TEXT_DISK_CONFIG),
  availability_zone: matches(ServerText.SERVER_TEXT_AVAILABILITY_ZONE),
  description: matches(ServerText.SERVER_TEXT_DESCRIPTION),
  display_description: matches(ServerText.SERVER_TEXT_DESCRIPTION),
  kernel_id: matches(ServerText.SERVER_TEXT_KERNEL_ID),
  key_name: matches(ServerText.SERVER_TEXT_KEY_NAME),
  launch_index: matches(ServerText.SERVER_TEXT_LAUNCH_INDEX),
  locked_by: matches(ServerText.SERVER_TEXT_LOCKED_BY),
  node: matches(ServerText.SERVER_TEXT_NODE),
  progress: matches(ServerText.SERVER_TEXT_PROGRESS),
  ramdisk_id: matches(ServerText.SERVER_TEXT_RAMDISK_ID),
  reservation_id: matches(ServerText.SERVER_TEXT_RESERVATION_ID),
  root_device_name: matches(ServerText.SERVER_TEXT_ROOT_DEVICE_NAME),
  uuid: (filter, value) =>
    orNothing(filter, value.length <= LONGEST ? value : undefined, (id) => {
      filter.ids = [id];
    }),
  status: readStatus,
  vm_state: readVmState,
  task_state: (filter, value) => {
    filter.taskStates = [value];
  },
  power_state: (filter, value, values, where) => {
    if (!/^\d+$/.test(value)) matches(ServerText.SERVER_TEXT_POWER_STATE)(filter, value, values, where);
    else
      orNothing(filter, powerStateOf(Number(value)), (state) => {
        filter.powerStates = [state];
      });
  },
  config_drive: (filter, value) => {
    filter.configDrive = strictBoolean(value, "config_drive");
  },
  locked: (filter, value) => {
    filter.locked = strictBoolean(value, "locked");
  },
  deleted: (filter, value) => {
    filter.deleted = booleanWord(value) ?? false;
  },
  // Any text but the empty one is true, as in Nova.
  soft_deleted: (filter, value) => {
    filter.softDeleted = value !== "";
  },
  "changes-since": (filter, value) => {
    filter.changesSince = time(value);
  },
  "changes-before": (filter, value) => {
    filter.changesBefore = time(value);
  },
  created_at: timeOrMatches("createdAt", ServerText.SERVER_TEXT_CREATED_AT),
  launched_at: timeOrMatches("launchedAt", ServerText.SERVER_TEXT_LAUNCHED_AT),
  terminated_at: timeOrMatches("terminatedAt", ServerText.SERVER_TEXT_TERMINATED_AT),
  tags: (filter, value) => {
    filter.tags = tagList(value);
  },
  "tags-any": (filter, value) => {
    filter.tagsAny = tagList(value);
  },
  "not-tags": (filter, value) => {
    filter.notTags = tagList(value);
  },
  "not-tags-any": (filter, value) => {
    filter.notTagsAny = tagList(value);
  },
};

/** Parameters of the list that do not filter. */
const notFilters = new Set(["all_tenants", "limit", "marker", "sort_key", "sort_dir"]);

export interface ServerSelection {
  readonly filter: Omit<Filter, "matchNothing">;
  /** No server can be meant. */
  readonly matchNothing: boolean;
  readonly allProjects: boolean;
  /** Whether any filter is in force. */ readonly filtered: boolean;
}

/**
 * Turns the parameters of a list into what `api` understands. @throws BAD_REQUEST, or FORBIDDEN for deleted
 * servers
 */
export function selectionOf(request: ApiRequest): ServerSelection {
  const allFilters = request.may("os_compute_api:servers:allow_all_filters");
  const filter: Filter = {};
  let filtered = false;
  for (const [name, values] of request.query) {
    const span = openFilters.get(name);
    if (!allFilters && (span === undefined || !inSpan(request.version, span))) continue;
    if (invalidFilters.has(name) || name.startsWith("_")) throw bad(`Invalid filter field: ${name}.`);
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    const value = values.at(-1);
    if (notFilters.has(name) || !reader || value === undefined) continue;
    reader(filter, value, values, { name, request });
    filtered = true;
  }
  const allProjects = wantsAllProjects(request);
  checkBounds(filter);
  // A state alone does not bring them, as in Nova.
  if (filter.deleted !== true && filter.vmStates?.includes(VmState.VM_STATE_SOFT_DELETED) === true)
    filter.softDeleted ??= false;
  // Without the right to see others, a project in the query means nothing.
  if (!allProjects) delete filter.projectId;
  const { matchNothing = false, ...wanted } = filter;
  return { filter: wanted, matchNothing, allProjects, filtered };
}

function wantsAllProjects(request: ApiRequest): boolean {
  const value = request.query.get("all_tenants")?.at(-1);
  if (value === undefined) return false;
  return value === "" || strictBoolean(value, "all_tenants");
}

function checkBounds({ changesSince, changesBefore }: Filter): void {
  if (!changesSince || !changesBefore) return;
  const [from, to] = [changesSince, changesBefore].map((t) => t.seconds * 1_000_000_000n + BigInt(t.nanos));
  if (from !== undefined && to !== undefined && from > to) {
    throw bad("The value of changes-since must be less than or equal to changes-before.");
  }
}

function readStatus(filter: Filter, _value: string, values: readonly string[], { request }: Where): void {
  const { vmStates, taskStates } = statesOfStatuses(values);
  if (vmStates.length === 0) {
    if (request.has(unknownStatusRefused)) throw bad("Invalid status value");
    filter.matchNothing = true;
    return;
  }
  // Deleted servers are only meant when nothing else is; beside other statuses the word has no effect.
  const onlyDeleted = vmStates.every((state) => state === VmState.VM_STATE_DELETED);
  if (onlyDeleted && !request.isAdmin) throw GatewayErrors.DELETED_FORBIDDEN({});
  filter.vmStates = onlyDeleted
    ? [...vmStates]
    : vmStates.filter((state) => state !== VmState.VM_STATE_DELETED);
  if (taskStates.length > 0) filter.taskStates = [...taskStates];
}

/** Without the right to deleted servers, asking for their state finds none. */
function readVmState(filter: Filter, _value: string, values: readonly string[], { request }: Where): void {
  const states = values.flatMap((name) => vmStateOf(name) ?? []);
  filter.vmStates = request.isAdmin ? states : states.filter((state) => state !== VmState.VM_STATE_DELETED);
  if (filter.vmStates.length === 0) filter.matchNothing = true;
}
