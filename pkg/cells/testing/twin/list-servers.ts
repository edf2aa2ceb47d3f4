import type { Timestamp } from "../../../../gen/google/protobuf/timestamp.js";
import type { ServerFilter } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { ServerText } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type {
  ListInstancesRequest,
  ListInstancesResponse,
} from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { isoMicros } from "../../../kernel/time.js";
import { powerStateNumber, vmStateWord } from "../../../model/instance-states.js";
import { fittingRows } from "../../../model/page-bytes.js";
import { fromTimestamp } from "../../../model/wire-time.js";
import { compileUserRegex } from "./user-regex.js";
import { encodedWithProgress } from "../../servers/store/shown-progress.js";
import { sortColumns, sortValue } from "../../servers/domain/sort-keys.js";
import type { InstanceEntry, TwinDatabase } from "./database.js";
import { bytewise, pageSize } from "./order.js";

type Row = InstanceEntry["columns"];
type Condition = (row: Row) => boolean;

/** One page of records. @throws SORT_KEY_INVALID, INVALID_ARGUMENT */
export function listServers(
  database: TwinDatabase,
  { filter, projectId, sort, pageSize: asked, after }: ListInstancesRequest,
): ListInstancesResponse {
  const order = sortColumns(sort);
  const conditions = filterConditions(filter, projectId);
  if (after.length > 0 && after.length !== order.length)
    throw CommonErrors.INVALID_ARGUMENT({ field: "after", problem: "it belongs to another sort" });
  const compare = (a: readonly string[], b: readonly string[]): number => {
    for (const [index, { descending }] of order.entries()) {
      const by = bytewise(a[index] ?? "", b[index] ?? "");
      if (by !== 0) return descending ? -by : by;
    }
    return 0;
  };
  const found = [...database.instances.values()]
    .filter(({ columns }) => conditions.every((holds) => holds(columns)))
    .map((entry) => ({
      entry,
      sortValues: order.map(({ column, kind }) => sortValue(entry.columns[column], kind)),
    }))
    .filter(({ sortValues }) => after.length === 0 || compare(sortValues, after) > 0)
    .sort((a, b) => compare(a.sortValues, b.sortValues));
  const page = fittingRows(found.slice(0, pageSize(asked)), ({ entry }) => entry.server.length);
  return {
    rows: page.map(({ entry, sortValues }) => ({
      sortValues,
      serverId: entry.id,
      generation: BigInt(entry.generation),
      server: encodedWithProgress(entry.server, database.progressOf(entry)),
    })),
    more: found.length > page.length,
  };
}

const equals =
  (column: string, value: unknown): Condition =>
  (row) =>
    row[column] === value;

function filterConditions(filter: ServerFilter | undefined, projectId: string): Condition[] {
  const project = projectId === "" ? filter?.projectId : projectId;
  const own = project === undefined ? [] : [equals("project_id", project)];
  if (filter === undefined) return [...own, equals("deleted_at", null)];
  const foreign = projectId !== "" && (filter.projectId ?? projectId) !== projectId;
  return [
    ...own,
    ...(foreign ? [() => false] : []),
    ...deletedConditions(filter),
    ...textConditions(filter),
    ...stateConditions(filter),
    ...tagConditions(filter),
    ...timeConditions(filter),
  ];
}

function deletedConditions({ deleted, changesSince, changesBefore }: ServerFilter): Condition[] {
  if (deleted !== undefined) return [(row) => (row["deleted_at"] !== null) === deleted];
  return changesSince === undefined && changesBefore === undefined ? [equals("deleted_at", null)] : [];
}

function textConditions(filter: ServerFilter): Condition[] {
  const exact: Readonly<Record<string, string | undefined>> = {
    image_id: filter.imageId,
    flavor_id: filter.flavorId,
    user_id: filter.userId,
    host: filter.host,
    node: filter.node,
    availability_zone: filter.availabilityZone,
    key_name: filter.keyName,
    reservation_id: filter.reservationId,
    description: filter.description,
  };
  return [
    ...(filter.ids.length === 0 ? [] : [(row: Row) => filter.ids.includes(row["id"] as string)]),
    ...Object.entries(exact)
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => equals(column, value)),
    ...regexConditions(filter),
  ];
}

function stateConditions(filter: ServerFilter): Condition[] {
  const among = (column: string, values: readonly unknown[]): Condition[] =>
    values.length === 0 ? [] : [(row) => values.includes(row[column])];
  const exactly = (column: string, value: unknown): Condition[] =>
    value === undefined ? [] : [equals(column, value)];
  return [
    ...among("vm_state", filter.vmStates.map(vmStateWord)),
    ...among("power_state", filter.powerStates.map(powerStateNumber)),
    ...among(
      "task_state",
      filter.taskStates.map((task) => (task === "" ? null : task)),
    ),
    ...exactly("config_drive", filter.configDrive),
    ...(filter.locked === undefined ? [] : [(row: Row) => (row["locked_by"] !== null) === filter.locked]),
    ...exactly("progress", filter.progress),
  ];
}

function tagConditions({ tags, tagsAny, notTags, notTagsAny }: ServerFilter): Condition[] {
  const has = (row: Row, tag: string): boolean => (row["tags"] as string[]).includes(tag);
  const unlessEmpty = (list: readonly string[], condition: Condition): Condition[] =>
    list.length === 0 ? [] : [condition];
  return [
    ...unlessEmpty(tags, (row) => tags.every((tag) => has(row, tag))),
    ...unlessEmpty(tagsAny, (row) => tagsAny.some((tag) => has(row, tag))),
    ...unlessEmpty(notTags, (row) => !notTags.every((tag) => has(row, tag))),
    ...unlessEmpty(notTagsAny, (row) => !notTagsAny.some((tag) => has(row, tag))),
  ];
}

function timeConditions(filter: ServerFilter): Condition[] {
  const when = (
    column: string,
    at: Timestamp | undefined,
    holds: (value: Instant, at: Instant) => boolean,
  ): Condition[] => {
    if (at === undefined) return [];
    const asked = fromTimestamp(at);
    return [(row) => row[column] !== null && holds(row[column] as Instant, asked)];
  };
  const same = (value: Instant, at: Instant): boolean => value === at;
  return [
    ...when("updated_at", filter.changesSince, (value, at) => value >= at),
    ...when("updated_at", filter.changesBefore, (value, at) => value <= at),
    ...when("created_at", filter.createdAt, same),
    ...when("launched_at", filter.launchedAt, same),
    ...when("terminated_at", filter.terminatedAt, same),
  ];
}

type Texts = (row: Row) => readonly (string | null)[];
const plain =
  (column: string): Texts =>
  (row) => [row[column] as string | null];
const number =
  (column: string): Texts =>
  (row) => [String(row[column])];
const time =
  (column: string): Texts =>
  (row) => [
    row[column] === null
      ? null
      : isoMicros(row[column] as Instant)
          .slice(0, 19)
          .replace("T", " "),
  ];

/** The texts of each field: one that matches is enough. */
const TEXTS: Readonly<Record<Exclude<ServerText, 0>, Texts>> = {
  [ServerText.SERVER_TEXT_ACCESS_IP_V4]: plain("access_ip_v4"),
  [ServerText.SERVER_TEXT_ACCESS_IP_V6]: plain("access_ip_v6"),
  [ServerText.SERVER_TEXT_AVAILABILITY_ZONE]: plain("availability_zone"),
  [ServerText.SERVER_TEXT_CREATED_AT]: time("created_at"),
  [ServerText.SERVER_TEXT_DESCRIPTION]: plain("description"),
  [ServerText.SERVER_TEXT_DISK_CONFIG]: (row) =>
    row["disk_config"] === DiskConfig.DISK_CONFIG_AUTO ? ["AUTO", "1"] : ["MANUAL", "0"],
  [ServerText.SERVER_TEXT_KERNEL_ID]: plain("kernel_id"),
  [ServerText.SERVER_TEXT_KEY_NAME]: plain("key_name"),
  [ServerText.SERVER_TEXT_LAUNCHED_AT]: time("launched_at"),
  [ServerText.SERVER_TEXT_LAUNCH_INDEX]: number("launch_index"),
  [ServerText.SERVER_TEXT_LOCKED_BY]: plain("locked_by"),
  [ServerText.SERVER_TEXT_NODE]: plain("node"),
  [ServerText.SERVER_TEXT_POWER_STATE]: number("power_state"),
  [ServerText.SERVER_TEXT_PROGRESS]: number("progress"),
  [ServerText.SERVER_TEXT_RAMDISK_ID]: plain("ramdisk_id"),
  [ServerText.SERVER_TEXT_RESERVATION_ID]: plain("reservation_id"),
  [ServerText.SERVER_TEXT_ROOT_DEVICE_NAME]: plain("root_device_name"),
  [ServerText.SERVER_TEXT_TERMINATED_AT]: time("terminated_at"),
};

function regexConditions(filter: ServerFilter): Condition[] {
  const of = (field: string, regex: string | undefined, texts: Texts): Condition[] => {
    if (regex === undefined) return [];
    const read = compileUserRegex(regex);
    if (read.problem !== undefined)
      throw CommonErrors.INVALID_ARGUMENT({ field: `filter.${field}`, problem: read.problem });
    return [(row) => texts(row).some((text) => text !== null && read.matches(text))];
  };
  const addresses =
    (column: string): Texts =>
    (row) =>
      row[column] as readonly string[];
  const either = [
    ...of("ip_regex", filter.ipRegex, addresses("ipv4")),
    ...of("ip6_regex", filter.ip6Regex, addresses("ipv6")),
  ];
  return [
    ...of("name_regex", filter.nameRegex, plain("name")),
    ...of("hostname_regex", filter.hostnameRegex, plain("hostname")),
    ...(either.length === 0 ? [] : [(row: Row) => either.some((holds) => holds(row))]),
    ...filter.textMatches.flatMap(({ field, regex }, index) =>
      of(`text_matches[${index}].regex`, regex === "" ? undefined : regex, textsOf(field)),
    ),
  ];
}

function textsOf(field: ServerText): Texts {
  const texts = TEXTS[field as Exclude<ServerText, 0>] as Texts | undefined;
  if (texts === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "filter.text_matches", problem: "names no field" });
  return texts;
}
