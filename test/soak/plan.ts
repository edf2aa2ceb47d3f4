import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { exampleInput, formOf, subjectOf } from "../../pkg/model/operation-declaration.js";
import type { BeginningMethod, OperationDeclaration } from "../../pkg/model/operation-declaration.js";
import { Random } from "../e2e/bad-input/fuzz/random.js";

/** What one caller does next. Which server is in the slot, and how the cloud answers, has no part in it. */
export interface Step {
  readonly number: number;
  /** A place for a server; the server in it comes and goes. */
  readonly slot: number;
  /** A declared kind. */
  readonly kind: string;
  readonly method: BeginningMethod;
  readonly road: "rest" | "grpc";
  readonly as: "owner" | "operator" | "stranger";
  /** What the request's fields are made of. */
  readonly seed: number;
  /** How long the caller then rests. */
  readonly restMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly slots: number;
  /** Everything that is declared. */
  readonly kinds: readonly OperationDeclaration[];
  /** Rest between two steps of one caller, ms, on average. */
  readonly restMs: number;
}

/**
 * How often a kind is chosen beside the others, which have 1: less for what ends a server, or makes it
 * forget, more for what needs a volume to be anything but refused.
 */
const WEIGHTS: Readonly<Record<string, number>> = {
  "server.attach-volume": 4,
  "server.detach-volume": 2.5,
  "server.delete": 0.4,
  "server.reset-state": 0.3,
  "cloud.cache-images": 0.2,
  "server.refresh-interfaces": 0.5,
};
const LEGAL = 0.75;

const BOOT = "server.boot";

const startsFrom = (one: OperationDeclaration, state: VmState): boolean =>
  subjectOf(one) !== "server" || (formOf(one, exampleInput(one)).vmStates?.includes(state) ?? true);

/**
 * Endless steps, the same for the same seed. Most are legal from the state in which the slot's server would
 * be if every step before had succeeded at once; since it has not, many of them are not.
 */
export function* planOf({ seed, slots, kinds, restMs }: PlanOptions): Generator<Step, never> {
  const random = new Random(seed);
  const begun = kinds.filter(({ methods }) => methods.length > 0);
  const boot = begun.find(({ kind }) => kind === BOOT);
  const others = begun.filter(({ kind }) => kind !== BOOT);
  if (boot === undefined || others.length === 0) throw new Error("nothing begins a server");
  const believed = Array.from({ length: slots }, () => VmState.VM_STATE_DELETED as VmState);
  for (let number = 0; ; number++) {
    const slot = number < slots ? number : random.below(slots);
    const state = believed[slot] ?? VmState.VM_STATE_DELETED;
    const gone = state === VmState.VM_STATE_DELETED;
    const one = gone && random.chance(0.8) ? boot : chosen(others, state, random);
    const method = random.pick(one.methods);
    yield {
      number,
      slot,
      kind: one.kind,
      method,
      road: random.chance(0.5) ? "rest" : "grpc",
      as: caller(one, random),
      seed: random.below(2 ** 31),
      restMs: Math.round(restMs * 2 * random.next()),
    };
    if (one.ends.length > 0) believed[slot] = random.pick(one.ends);
  }
}

function chosen(
  others: readonly OperationDeclaration[],
  state: VmState,
  random: Random,
): OperationDeclaration {
  const legal = others.filter((one) => startsFrom(one, state));
  const among = legal.length > 0 && random.chance(LEGAL) ? legal : others;
  let left = random.next() * among.reduce((sum, one) => sum + weightOf(one), 0);
  return among.find((one) => (left -= weightOf(one)) < 0) ?? random.pick(among);
}

const weightOf = ({ kind }: OperationDeclaration): number => WEIGHTS[kind] ?? 1;

function caller({ rule }: OperationDeclaration, random: Random): Step["as"] {
  const forOperators = /admin|external-events|aggregates|crash|nmi/.test(rule);
  if (random.chance(forOperators ? 0.85 : 0.1)) return "operator";
  return random.chance(0.05) ? "stranger" : "owner";
}

/** What goes wrong by itself. */
export type Blow =
  | {
      readonly afterMs: number;
      readonly what: "kill";
      readonly process: string;
      /** How long it stays away. */
      readonly awayMs: number;
    }
  | {
      readonly afterMs: number;
      readonly what: "fault";
      /** Of the fake hosts, counted from 0. */
      readonly host: number;
      readonly method: string;
      readonly times: number;
      readonly delayMs: number;
      readonly fails: boolean;
    };

/**
 * Endless blows, the same for the same seed.
 * @param often   processes that die again and again
 * @param once    processes that die once each, every tenth blow one
 */
export function* blowsOf(options: {
  readonly seed: number;
  readonly often: readonly string[];
  readonly once: readonly string[];
  readonly fakeHosts: number;
  readonly methods: readonly string[];
  /** Between two blows, ms, on average. */
  readonly everyMs: number;
}): Generator<Blow, never> {
  const random = new Random(options.seed ^ 0x5eed);
  const single = new Map(options.once.map((process, i) => [6 + i * 10, process]));
  for (let number = 0; ; number++) {
    const afterMs = Math.round(options.everyMs * (0.5 + random.next()));
    const process = single.get(number);
    if (process === undefined && random.chance(0.4))
      yield {
        afterMs,
        what: "fault",
        host: random.below(options.fakeHosts),
        method: random.pick(options.methods),
        times: 1 + random.below(3),
        delayMs: random.chance(0.5) ? 100 + random.below(6_000) : 0,
        fails: random.chance(0.6),
      };
    else
      yield {
        afterMs,
        what: "kill",
        process: process ?? random.pick(options.often),
        awayMs: random.chance(0.7) ? random.below(1_500) : 3_000 + random.below(9_000),
      };
  }
}
