import { isIPv4 } from "node:net";
import { canonicalIp } from "../../model/ip-address.js";
import type { Rule, Shape } from "./shape.js";
import { list, number, oneOf, text } from "./shape.js";
import type { Timestamp } from "../../../gen/google/protobuf/timestamp.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";

const PRINTABLE = /^(?![\s])[^\p{Cc}\p{Cn}\p{Cs}]*(?<!\s)$/u;

/** A display name: 1 to 255 printable characters, no space at its ends. */
export const name = text({
  min: 1,
  pattern: PRINTABLE,
  hint: "must be printable characters and not start or end with whitespace",
});
/** The same, or nothing. */
export const optionalName = text({
  pattern: PRINTABLE,
  hint: "must be printable characters and not start or end with whitespace",
});
/** Printable, may start and end with anything. */
export const description = text({
  pattern: /^[^\p{Cc}\p{Cn}\p{Cs}]*$/u,
  hint: "must be printable characters",
});
/** Ids are looked up, not parsed: anything short. */
export const id = text({ min: 1 });
export const uuid = text({
  min: 1,
  max: 36,
  pattern: /^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/,
  hint: "must be a UUID",
});
export const optionalUuid = text({
  max: 36,
  pattern: /^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/,
  hint: "must be a UUID",
});
export const clientToken = text({
  max: 255,
  pattern: /^[!-~]+$/,
  hint: "must be printable ASCII without spaces",
});
/** Any number that a message carries: see `rowsOf`. */
export const pageSize = number({ max: 4_294_967_295 });
/** Whatever it is: what is no token of the list is BAD_PAGE_TOKEN. */
export const pageToken = text({ max: 65_536 });
export const tag = text({ min: 1, max: 60, pattern: /^[^,/]*$/, hint: "must not contain comma or slash" });
export const hostName = text({ pattern: /^[a-zA-Z0-9-._]*$/, hint: "must be a host name" });
export const metadataKey = text({
  min: 1,
  pattern: /^[a-zA-Z0-9-_:. ]+$/,
  hint: "must consist of letters, digits, '-', '_', ':', '.' and spaces",
});
export const metadataValue = text({ max: 255 });

export const ipv4: Rule<string> = (value, path, report) => {
  if (value !== "" && !isIPv4(value)) report(path, "must be an IPv4 address");
};
export const ipv6: Rule<string> = (value, path, report) => {
  if (value !== "" && (isIPv4(value) || canonicalIp(value) === undefined))
    report(path, "must be an IPv6 address");
};
export const ip: Rule<string> = (value, path, report) => {
  if (value !== "" && canonicalIp(value) === undefined) report(path, "must be an IP address");
};

/** Years 1 to 9999, which every store and every calendar has. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;
const NANOS = 1_000_000_000;

/** A point in time, or none. */
export const time: Rule<Timestamp | undefined> = (value, path, report) => {
  if (value === undefined) return;
  const { seconds, nanos } = value;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos >= NANOS)
    report(path, "must be a time in the years 1 to 9999");
};

/** The keys of a sort by the fields of an enum. */
export function sortBy<F extends number>(
  fields: Readonly<Record<string, F>>,
): Rule<{ field: F; direction: SortDirection }[]> {
  const [field, direction] = [oneOf(fields, { unset: false }), oneOf(SortDirection)];
  return list((value, path, report) => {
    field(value.field, `${path}.field`, report);
    direction(value.direction, `${path}.direction`, report);
  }, 32);
}

/** Fields that every paged list has. */
export const paging: Shape<{ pageSize: number; pageToken: string }> = { pageSize, pageToken };
