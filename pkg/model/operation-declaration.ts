import type { StepRecord } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { Actor } from "../../gen/kilonova/type/v1/actor.js";
import type { OperationMetadata, OperationResult } from "../../gen/kilonova/type/v1/operation.js";
import type { MigrationRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import type { Server } from "../../gen/kilonova/cells/v1/server.js";
import type { VmState } from "../../gen/kilonova/type/v1/server.js";
import type { RuleName } from "../policy/index.js";
import type { SubjectKind } from "./operation-name.js";

/** A protobuf message's codec, as the generated code exports it. */
export interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
  fromPartial(partial: object): T;
}

/** The codec of kinds that need nothing. */
export const NOTHING: MessageType<undefined> = {
  encode: () => ({ finish: () => new Uint8Array() }),
  decode: () => undefined,
  fromPartial: () => undefined,
};

/**
 * What operations of one subject may do side by side: those of one lane exclude each other, those of two
 * lanes do not. The lane "life" holds what a server's lasting and task states are about; task states are
 * shown by it alone. Hosts and the cloud have no "life".
 */
export type Lane = "life" | "volumes" | "ports" | "images" | "interrupts";

/** What becomes of an operation whose lane is busy. */
export type Contention =
  /** Refused with OPERATION_IN_PROGRESS. */
  | "refused"
  /**
   * Accepted, and runs when those accepted before it have ended. States are judged at its acceptance and
   * again when its turn comes: refused then, it ends as FAILED with the reason, such as INVALID_STATE. Not
   * in the lane "life".
   */
  | "waits"
  /** The running one of its lane ends at once, and its finished steps become this one's clean-up. */
  | "pre-empts"
  /**
   * As `pre-empts`, in all lanes, those that wait included; nothing else is accepted until it has ended. A
   * running one of the same kind is the answer. Only in the lane "life".
   */
  | "pre-empts-all";

/** One way to ask for an operation: where it may start, and what is seen while it runs. */
export interface Form {
  /** Lasting states from which it starts; absent: any. */
  readonly vmStates?: readonly VmState[];
  /** Task states in which it starts, "" being none; absent: any. */
  readonly taskStates?: readonly string[];
  /** Task state from its acceptance on; "" in lanes other than "life". */
  readonly taskState: string;
  readonly contention: Contention;
  /** Refused with NOT_READY without a host: before its states are judged, or after them ("last"). */
  readonly needsHost?: "first" | "last";
  /** Refused while the server never was active. */
  readonly needsLaunch?: true;
  /** Refused with GUEST_AGENT_MISSING when the server's image asks for no agent inside the guest. */
  readonly needsGuestAgent?: true;
  /**
   * Kinds whose running operation is the answer instead of being taken over; with `pre-empts-all` its own is
   * among them anyway. Only in the lane "life", and where something is taken over.
   */
  readonly joins?: readonly string[];
  /**
   * Nothing new begins in other lanes until it has ended. What runs there ends first: it begins with
   * `awaitLanes`. News, which `waits` and which no lock stops, is accepted and has its turn afterwards; all
   * else is refused. Only in the lane "life".
   */
  readonly alone?: true;
  /** Kinds that it does not take over: while one runs, OPERATION_IN_PROGRESS. Only where `joins` may be. */
  readonly yieldsTo?: readonly string[];
  /**
   * What a lock does to those who may not pass it: "refuses" with INSTANCE_LOCKED; "hides" with the text of a
   * state that does not fit, as Nova does for some; "ignores".
   */
  readonly lock: "refuses" | "hides" | "ignores";
}

/** A method that begins an operation. */
export interface BeginningMethod {
  /** Of `ServersService` when the subject is a server, such as "PauseServer". */
  readonly name: string;
  /** Key of the body of `POST /servers/{id}/action`; absent when another route leads to it. */
  readonly key?: string;
  /** Nova has no action of this key: its route is in no table, and is there in every microversion. */
  readonly ours?: true;
  /** Where deleted servers are kept for a while, the declaration's `deferral` takes its place. */
  readonly deferrable?: true;
}

/** What is decided by when an operation is accepted. */
export interface Acceptable<I> {
  readonly server: Server;
  readonly input: I;
  readonly actor: Actor;
  /** The one of `endsMigration`, when quota is asked for; undefined for kinds that end none. */
  readonly migration?: MigrationRecord | undefined;
}

/** How an operation has ended well: what its result is made of. */
export interface Ended {
  /** As the operation leaves it, at the generation that shows the end. */
  readonly server: Server;
  /** What a step left when it finished, parsed; undefined when it did not finish. */
  outputOf(step: string): unknown;
}

/** What a server holds of its project's quota. */
export interface Holding {
  /** 1 where it counts as a server, 0 where it does not. */
  readonly instances: number;
  readonly cores: number;
  /** Memory in MiB. */
  readonly ram: number;
}

/** What a kind says of the migration that it makes; the acceptor knows the rest. */
export type DeclaredMigration = Pick<MigrationRecord, "kind"> & Partial<MigrationRecord>;

/**
 * Everything about a kind of operation that more than one room needs to know. The acceptor, the api, the
 * gateway, the conductor, the legal changes of state, the crash matrix and the docs' table read it here;
 * nothing of it is written down again elsewhere.
 */
export interface OperationDeclaration<I = unknown, S = unknown, F extends string = string> {
  /** Stored with every operation; never reused. */
  readonly kind: string;
  /** What it does, in a sentence for the docs' table. */
  readonly summary: string;
  /**
   * Versions that this build knows, oldest first. The last one is what is accepted, unless `versionOf` says
   * otherwise. A version grows when stored operations could not be continued with the new steps.
   */
  readonly versions: readonly [number, ...number[]];
  /**
   * Which of them a request is accepted under, where several stand side by side: each has steps of its own.
   */
  readonly versionOf?: (input: I) => number;
  /**
   * What it is about; absent: a server. Hosts' operations are in their cell's database, the cloud's in the
   * global one.
   */
  readonly subject?: SubjectKind;
  /** Within its subject, operations of one lane exclude each other. */
  readonly lane: Lane;
  /** What it works with. */
  readonly input: MessageType<I>;
  /** What of it must not lie in the clear; absent when there is nothing. */
  readonly secrets?: MessageType<S>;
  /**
   * What of its input the server's project sees, and whoever watches it: nothing of other projects. Absent
   * when there is nothing to tell.
   */
  readonly metadata?: (input: I) => OperationMetadata["asked"];
  /** What it answers when it has ended well; absent when it leaves nothing. Must not throw. */
  readonly result?: (ended: Ended) => OperationResult["outcome"];
  readonly methods: readonly BeginningMethod[];
  /**
   * The kind that takes its place, with the empty input, where the deployment keeps deleted servers for a
   * while: for servers that were active once and have a host, when they are asked for by a method that is
   * `deferrable`.
   */
  readonly deferral?: string;
  /** What beginning it needs, and therefore ending it. */
  readonly rule: RuleName;
  /** Nova's name for the instance action, also the word in refusals; "" where the subject is no server. */
  readonly action: string;
  readonly forms: Readonly<Record<F, Form>>;
  /** Which form a request has; needed when there are several. */
  readonly formOf?: (input: I) => F;
  /** Lasting states in which a server is that it ended well for; empty: the one before. */
  readonly ends: readonly VmState[];
  /** From this step on there is only forward. */
  readonly pivot?: string;
  /**
   * What the host must be able to do, the server's or the one that it is about, by the name that the command
   * gives it: hosts register what their drivers can, others are refused before the operation is accepted.
   */
  readonly capability?: string;
  /**
   * Done with its acceptance, in the same transaction, whatever else is under way: it has no steps. One that
   * `pre-empts-all` ends everything that is under way; what that leaves is cleaned up with the server's
   * deletion. @returns what changes; undefined for nothing
   */
  readonly instant?: (call: Acceptable<I>) => Partial<Server> | undefined;
  /** Name of an instant operation's event in the timeline. */
  readonly event?: string;
  /**
   * What the server holds of its project's quota once this has ended well; absent: what it held before. What
   * that is more than before is taken with the acceptance, or it is refused with QUOTA_EXCEEDED; what it is
   * less is given back with the end. An operation that ends otherwise changes nothing. Only in the lane
   * "life".
   */
  readonly quota?: (call: Acceptable<I>) => Holding;
  /**
   * The migration record that is made with the acceptance, under the operation's uuid: its kind, and what is
   * known already of flavors and target. It begins in the first status of its kind; steps change it.
   */
  readonly migration?: (call: Acceptable<I>) => DeclaredMigration;
  /**
   * The id of the migration that it leads on from its rest: one of the server's, or it is refused with
   * MIGRATION_NOT_FOUND.
   */
  readonly endsMigration?: (input: I) => string;
  /**
   * Something that it can work with, for tests and docs; absent: the empty input. Where it ends with that,
   * when what it is asked for decides between several ends.
   */
  readonly example?: { readonly input?: object; readonly secrets?: object; readonly end?: VmState };
}

/** Checks what types cannot. */
export function declareOperation<I, S, F extends string>(
  declaration: OperationDeclaration<I, S, F>,
): OperationDeclaration<I, S, F> {
  const { kind, lane, forms, formOf, instant, event, migration, endsMigration, quota } = declaration;
  if (Object.keys(forms).length !== 1 && formOf === undefined)
    throw new Error(`${kind}: nothing says which of its forms a request has`);
  if ((instant === undefined) !== (event === undefined))
    throw new Error(`${kind}: an instant operation has an event, others have steps`);
  if (instant !== undefined && (migration ?? endsMigration) !== undefined)
    throw new Error(`${kind}: an instant operation moves nothing`);
  if (lane !== "life" && quota !== undefined) throw new Error(`${kind}: only the lane life takes quota`);
  for (const form of Object.values<Form>(forms)) checkLane(kind, lane, form, instant !== undefined);
  checkSubject(declaration);
  return declaration;
}

/** What is declared of an operation on a host or on the cloud: nothing of a server's states and locks. */
export interface SubjectOperation<I, S> extends Pick<
  OperationDeclaration<I, S>,
  | "kind"
  | "summary"
  | "versions"
  | "input"
  | "metadata"
  | "secrets"
  | "methods"
  | "rule"
  | "pivot"
  | "capability"
  | "example"
> {
  readonly subject: Exclude<SubjectKind, "server">;
  readonly lane: Exclude<Lane, "life">;
  readonly contention: Exclude<Contention, "pre-empts-all">;
}

/** As `declareOperation`, for hosts and the cloud. */
export const declareSubjectOperation = <I, S = unknown>({
  contention,
  ...declaration
}: SubjectOperation<I, S>): OperationDeclaration<I, S, "usual"> =>
  declareOperation({
    ...declaration,
    action: "",
    forms: { usual: { taskState: "", contention, lock: "ignores" } },
    ends: [],
  });

/** The kind of its subject. */
export const subjectOf = ({ subject = "server" }: Pick<OperationDeclaration, "subject">): SubjectKind =>
  subject;

function checkSubject({
  kind,
  subject = "server",
  lane,
  ends,
  instant,
  capability,
  action,
}: Pick<OperationDeclaration, "kind" | "subject" | "lane" | "ends" | "capability" | "action"> & {
  readonly instant?: unknown;
}): void {
  if (subject === "server") return;
  if (lane === "life") throw new Error(`${kind}: only servers have the lane life`);
  if (ends.length > 0 || action !== "" || instant !== undefined)
    throw new Error(`${kind}: only servers have states, instance actions and instant operations`);
  if (subject === "cloud" && capability !== undefined)
    throw new Error(`${kind}: there is no host whose capability could be asked for`);
}

function checkLane(kind: string, lane: Lane, form: Form, instant: boolean): void {
  const { contention, taskState, joins, yieldsTo, alone } = form;
  const takesLife = lane === "life" && (contention === "pre-empts" || contention === "pre-empts-all");
  if (!takesLife && (joins ?? yieldsTo) !== undefined)
    throw new Error(`${kind}: only what takes over in the lane life joins something or yields to it`);
  if (alone === true && (lane !== "life" || contention === "pre-empts-all"))
    throw new Error(`${kind}: what takes over the other lanes, or is none of "life", cannot wait for them`);
  if (lane === "life" && contention === "waits") throw new Error(`${kind}: nothing waits in the lane life`);
  if (lane !== "life" && contention === "pre-empts-all")
    throw new Error(`${kind}: only the lane life takes over the others`);
  if (lane !== "life" && taskState !== "") throw new Error(`${kind}: only the lane life shows a task state`);
  if (lane !== "life" && instant) throw new Error(`${kind}: an instant operation needs no lane of its own`);
}

/** A declaration whatever its messages are: as all are listed. */
export const anyOperation = <I, S, F extends string>(
  declaration: OperationDeclaration<I, S, F>,
): OperationDeclaration => declaration as unknown as OperationDeclaration;

/** The version under which a request is accepted. */
export const versionFor = (declaration: OperationDeclaration, input: Uint8Array): number =>
  declaration.versionOf?.(declaration.input.decode(input)) ?? newestVersion(declaration);

/** The newest version of a kind. */
export const newestVersion = ({ versions }: Pick<OperationDeclaration, "versions">): number =>
  Math.max(...versions);

/** The form of a request. */
export function formOf(declaration: OperationDeclaration, input: Uint8Array): Form {
  const { forms, formOf: choose, kind } = declaration;
  const names = Object.keys(forms);
  const name = choose === undefined ? names[0] : choose(declaration.input.decode(input));
  const form = name === undefined ? undefined : forms[name];
  if (form === undefined) throw new Error(`${kind} has no form ${String(name)}`);
  return form;
}

/** What is shown of an encoded input. */
export function metadataOf(
  { input: type, metadata }: Pick<OperationDeclaration, "input" | "metadata">,
  input: Uint8Array,
): OperationMetadata | undefined {
  const asked = metadata?.(type.decode(input));
  return asked === undefined ? undefined : { asked };
}

/** What an operation answers that has ended well. @param server  as it leaves it @param steps  all of them */
export function resultOf(
  { result }: Pick<OperationDeclaration, "result">,
  server: Server,
  steps: readonly StepRecord[],
): OperationResult | undefined {
  const outcome = result?.({ server, outputOf: (step) => outputIn(steps, step) });
  return outcome === undefined ? undefined : { outcome };
}

function outputIn(steps: readonly StepRecord[], step: string): unknown {
  const last = steps.findLast(({ name }) => name === step);
  return last?.state === "done" && last.output.length > 0 ? JSON.parse(last.output.toString()) : undefined;
}

/** The result of most kinds: the server itself. */
export const theServer = ({ server: { id, generation } }: Ended): OperationResult["outcome"] => ({
  $case: "server",
  value: { id, generation },
});

/** An encoded input, or the example's. */
export const exampleInput = ({ input, example }: OperationDeclaration): Uint8Array =>
  input.encode(input.fromPartial(example?.input ?? {})).finish();
export const exampleSecrets = ({ secrets, example }: OperationDeclaration): Uint8Array =>
  secrets === undefined || example?.secrets === undefined
    ? new Uint8Array()
    : secrets.encode(secrets.fromPartial(example.secrets)).finish();
