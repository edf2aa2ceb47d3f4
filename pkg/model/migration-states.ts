import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";

/** Nova's word for a kind of move. */
export type MigrationWord = "migration" | "resize" | "live-migration" | "evacuation";

interface Course {
  readonly word: MigrationWord;
  /** The usual course, from the status it begins with; steps may be left out. */
  readonly course: readonly string[];
  /** A second course, which begins after the status named first. */
  readonly instead?: readonly [after: string, ...course: string[]];
  /** A status in which nothing is under way: the owner, or a host's return, decides how it goes on. */
  readonly rest?: string;
  /** How it ends otherwise, from any status that is no end; the first is that of a failure. */
  readonly failures: readonly [string, ...string[]];
}

const COLD = {
  course: ["pre-migrating", "migrating", "post-migrating", "finished", "confirming", "confirmed"],
  instead: ["finished", "reverting", "reverted"],
  rest: "finished",
  failures: ["error", "failed"],
} as const;

/** @source conductor-workflows §0 "Migration", which lists Nova's paths */
const COURSES: ReadonlyMap<MigrationKind, Course> = new Map<MigrationKind, Course>([
  [MigrationKind.MIGRATION_KIND_MIGRATION, { word: "migration", ...COLD }],
  [MigrationKind.MIGRATION_KIND_RESIZE, { word: "resize", ...COLD }],
  [
    MigrationKind.MIGRATION_KIND_LIVE_MIGRATION,
    {
      word: "live-migration",
      course: ["accepted", "queued", "preparing", "running", "post-migrating", "completed"],
      failures: ["failed", "cancelled", "error"],
    },
  ],
  [
    MigrationKind.MIGRATION_KIND_EVACUATION,
    {
      word: "evacuation",
      course: ["accepted", "pre-migrating", "done", "completed"],
      rest: "done",
      failures: ["failed", "error"],
    },
  ],
]);

/** Nova's word; undefined for what is no kind that this build knows. */
export const migrationWord = (kind: MigrationKind): MigrationWord | undefined => COURSES.get(kind)?.word;

/** The status that a migration begins with. */
export const firstStatus = (kind: MigrationKind): string => COURSES.get(kind)?.course[0] ?? "";

/**
 * Whether a migration may go from one status to another: forward only, and no further once it has ended. One
 * of a kind that this build does not know may do anything: a newer one has made it.
 */
export function statusMayBecome(kind: MigrationKind, from: string, to: string): boolean {
  const known = COURSES.get(kind);
  if (known === undefined || from === to) return true;
  const { course, instead, failures } = known;
  if (failures.includes(from) || from === course.at(-1) || from === instead?.at(-1)) return false;
  if (failures.includes(to)) return true;
  const roads = instead === undefined ? [course] : [course, instead];
  return roads.some((road) => road.includes(from) && road.indexOf(to) > road.indexOf(from));
}

/**
 * Which way a migration is under way: the first one, which its operation goes, or the way on from its rest,
 * which another one goes. Undefined when it rests, has ended, or is of a kind that this build does not know.
 */
export function wayOf(kind: MigrationKind, status: string): "there" | "on" | undefined {
  const known = COURSES.get(kind);
  if (known === undefined) return undefined;
  const { course, instead = [], rest } = known;
  const roads = [course, instead].filter((road) => road.includes(status));
  if (roads.length === 0 || status === rest || roads.every((road) => road.at(-1) === status))
    return undefined;
  return rest !== undefined &&
    roads.some((road) => road.indexOf(status) > road.indexOf(rest) && road.includes(rest))
    ? "on"
    : "there";
}

/** All statuses, of any kind, in which something is under way. */
export const UNDER_WAY: readonly string[] = [
  ...new Set(
    [...COURSES].flatMap(([kind, { course, instead = [] }]) =>
      [...course, ...instead].filter((status) => wayOf(kind, status) !== undefined),
    ),
  ),
];

/** All statuses, of any kind, that are no end: something is under way, or it rests. */
export const UNENDED: readonly string[] = [
  ...new Set([...UNDER_WAY, ...[...COURSES.values()].flatMap(({ rest }) => rest ?? [])]),
];

/**
 * Those that need both hosts' services. An evacuation that is done needs its source no more.
 * @source nova migration_get_in_progress_by_host_and_node
 */
export const NEED_HOSTS: readonly string[] = UNENDED.filter((status) => status !== "done");

/** Kinds whose server may have something on both hosts until an owner has decided. */
export const COLD_KINDS: readonly MigrationKind[] = [
  MigrationKind.MIGRATION_KIND_MIGRATION,
  MigrationKind.MIGRATION_KIND_RESIZE,
];

/**
 * Statuses of these kinds in which there may be something of the server on either host: all but the good
 * ends. What failed was undone, but a host that was down may not have heard of it.
 */
export const NOT_CLEARED: readonly string[] = [
  ...new Set([...COLD.course.slice(0, -1), ...COLD.instead.slice(0, -1), ...COLD.failures]),
];

/**
 * The status of a migration whose operation has ended from outside.
 * @param withdrawn  whether somebody wanted it no more; otherwise it has failed
 */
export function statusWhenCut(kind: MigrationKind, withdrawn: boolean): string {
  const [failed = "error", ...others] = COURSES.get(kind)?.failures ?? [];
  return withdrawn && others.includes("cancelled") ? "cancelled" : failed;
}

/** Statuses of live migrations under way, of which `GET /servers/{id}/migrations` tells. */
export const LIVE_IN_PROGRESS: readonly string[] = ["queued", "preparing", "running", "post-migrating"];
