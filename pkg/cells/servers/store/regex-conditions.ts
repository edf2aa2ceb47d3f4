import type { ServerFilter } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { ServerText } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { readUserRegex } from "../../../platform/regex/index.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";

const timeText = (column: string): Sql =>
  sql`to_char(${sql.ref(column)} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')`;
const numberText = (column: string): Sql => sql`${sql.ref(column)}::text`;
const auto = sql`disk_config = ${DiskConfig.DISK_CONFIG_AUTO}`;

/** The texts of each field: one that matches is enough. */
const TEXTS: Readonly<Record<Exclude<ServerText, 0>, readonly Sql[]>> = {
  [ServerText.SERVER_TEXT_ACCESS_IP_V4]: [sql.ref("access_ip_v4")],
  [ServerText.SERVER_TEXT_ACCESS_IP_V6]: [sql.ref("access_ip_v6")],
  [ServerText.SERVER_TEXT_AVAILABILITY_ZONE]: [sql.ref("availability_zone")],
  [ServerText.SERVER_TEXT_CREATED_AT]: [timeText("created_at")],
  [ServerText.SERVER_TEXT_DESCRIPTION]: [sql.ref("description")],
  // Nova compares with the number in its table, and documents the word.
  [ServerText.SERVER_TEXT_DISK_CONFIG]: [
    sql`CASE WHEN ${auto} THEN 'AUTO' ELSE 'MANUAL' END`,
    sql`CASE WHEN ${auto} THEN '1' ELSE '0' END`,
  ],
  [ServerText.SERVER_TEXT_KERNEL_ID]: [sql.ref("kernel_id")],
  [ServerText.SERVER_TEXT_KEY_NAME]: [sql.ref("key_name")],
  [ServerText.SERVER_TEXT_LAUNCHED_AT]: [timeText("launched_at")],
  [ServerText.SERVER_TEXT_LAUNCH_INDEX]: [numberText("launch_index")],
  [ServerText.SERVER_TEXT_LOCKED_BY]: [sql.ref("locked_by")],
  [ServerText.SERVER_TEXT_NODE]: [sql.ref("node")],
  [ServerText.SERVER_TEXT_POWER_STATE]: [numberText("power_state")],
  [ServerText.SERVER_TEXT_PROGRESS]: [numberText("progress")],
  [ServerText.SERVER_TEXT_RAMDISK_ID]: [sql.ref("ramdisk_id")],
  [ServerText.SERVER_TEXT_RESERVATION_ID]: [sql.ref("reservation_id")],
  [ServerText.SERVER_TEXT_ROOT_DEVICE_NAME]: [sql.ref("root_device_name")],
  [ServerText.SERVER_TEXT_TERMINATED_AT]: [timeText("terminated_at")],
};

/** Whether a filter holds a regular expression. */
export const hasRegex = (filter: ServerFilter): boolean =>
  filter.textMatches.length > 0 ||
  [filter.nameRegex, filter.hostnameRegex, filter.ipRegex, filter.ip6Regex].some(
    (regex) => regex !== undefined,
  );

/** @throws INVALID_ARGUMENT for one that is not taken */
export function regexConditions(filter: ServerFilter): Sql[] {
  const of = (field: string, regex: string | undefined, texts: readonly Sql[]): Sql[] =>
    regex === undefined ? [] : [anyMatches(texts, patternOf(field, regex))];
  return [
    ...of("name_regex", filter.nameRegex, [sql.ref("name")]),
    ...of("hostname_regex", filter.hostnameRegex, [sql.ref("hostname")]),
    ...addressConditions(filter),
    ...filter.textMatches.flatMap(({ field, regex }, index) =>
      of(`text_matches[${index}].regex`, regex === "" ? undefined : regex, textsOf(field)),
    ),
  ];
}

/** A server whose addresses of either version match will do, as in Nova. */
function addressConditions({ ipRegex, ip6Regex }: ServerFilter): Sql[] {
  const matches = [
    { field: "ip_regex", regex: ipRegex, column: "ipv4" },
    { field: "ip6_regex", regex: ip6Regex, column: "ipv6" },
  ].flatMap(({ field, regex, column }) =>
    regex === undefined
      ? []
      : [
          sql`EXISTS (SELECT 1 FROM unnest(${sql.ref(column)}) AS a (ip) WHERE a.ip ~* ${patternOf(field, regex)})`,
        ],
  );
  return matches.length === 0 ? [] : [sql`(${sql.join(matches, sql` OR `)})`];
}

const anyMatches = (texts: readonly Sql[], pattern: string): Sql =>
  sql`(${sql.join(
    texts.map((text) => sql`${text} ~* ${pattern}`),
    sql` OR `,
  )})`;

function textsOf(field: ServerText): readonly Sql[] {
  const texts = TEXTS[field as Exclude<ServerText, 0>];
  if (texts === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "filter.text_matches", problem: "names no field" });
  return texts;
}

function patternOf(field: string, regex: string): string {
  const read = readUserRegex(regex);
  if (read.problem !== undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: `filter.${field}`, problem: read.problem });
  return read.postgres;
}
