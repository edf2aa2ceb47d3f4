import type { Timestamp } from "../../gen/google/protobuf/timestamp.js";
import type { Duration } from "../../gen/google/protobuf/duration.js";
import type { Instant } from "../kernel/time.js";

/** An instant as protobuf carries it. */
export function toTimestamp(at: Instant): Timestamp {
  const micros = BigInt.asIntN(64, at);
  let seconds = micros / 1_000_000n;
  let rest = micros - seconds * 1_000_000n;
  if (rest < 0n) {
    seconds -= 1n;
    rest += 1_000_000n;
  }
  return { seconds, nanos: Number(rest) * 1000 };
}

/** The instant of a timestamp; nanoseconds are cut. */
export const fromTimestamp = (at: Timestamp): Instant =>
  at.seconds * 1_000_000n + BigInt(Math.floor(at.nanos / 1000));

/** As `toTimestamp`, for columns and fields that may be absent. */
export const toTimestampOrUnset = (at: Instant | null | undefined): Timestamp | undefined =>
  at === null || at === undefined ? undefined : toTimestamp(at);

/** As `fromTimestamp`, for columns that may be null. */
export const fromTimestampOrNull = (at: Timestamp | undefined): Instant | null =>
  at === undefined ? null : fromTimestamp(at);

/** Whole milliseconds of a duration. */
export const durationMs = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : Number(duration.seconds) * 1000 + Math.floor(duration.nanos / 1e6);

/** A duration of so many milliseconds. */
export const toDuration = (ms: number): Duration => ({
  seconds: BigInt(Math.floor(ms / 1000)),
  nanos: Math.round((ms % 1000) * 1e6),
});
