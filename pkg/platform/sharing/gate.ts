import type { Actor } from "../../kernel/index.js";
import { CommonErrors, whenAborted } from "../../kernel/index.js";
import type { SharingConfig } from "./config.js";
import { SharingErrors } from "./errors.js";
import { keyOf } from "./key.js";

/** What the doors of a process have in common. */
export interface Common {
  /** Requests that each project may have under way now. */
  share(): number;
  /** Notes that a project is active. */
  touch(key: string): void;
}

interface Running {
  readonly sinceMs: number;
}

interface Waiting {
  go(): void;
}

/** One project at one door. */
class Project {
  readonly key: string;
  /** By their start. */
  readonly running = new Set<Running>();
  /** Those of the running that take long: they no longer count. */
  readonly long = new Set<Running>();
  /** By their arrival. */
  readonly waiting = new Set<Waiting>();
  timer: NodeJS.Timeout | undefined;

  constructor(key: string) {
    this.key = key;
  }

  get idle(): boolean {
    return this.running.size === 0 && this.long.size === 0 && this.waiting.size === 0;
  }
}

export const nothing = (): void => {};

/**
 * The turns at one door: each project has a share of requests under way, the others of it wait in a bounded
 * queue, and free places go round among the projects that wait.
 * @cost a few operations on maps per request
 */
export class Gate {
  readonly #config: SharingConfig;
  readonly #common: Common;
  readonly #now: () => number;
  readonly #projects = new Map<string, Project>();
  /** Projects with requests that wait, in the order of their turns. */
  readonly #ring = new Set<Project>();
  #running = 0;

  constructor(config: SharingConfig, common: Common, now: () => number) {
    this.#config = config;
    this.#common = common;
    this.#now = now;
  }

  /**
   * Waits for the caller's turn.
   * @returns gives the turn back; more than once is no more than once
   * @throws TOO_MANY_REQUESTS, TURN_TIMED_OUT, or the signal's reason
   */
  async enter(actor: Actor, signal: AbortSignal): Promise<() => void> {
    const key = keyOf(actor);
    if (key === undefined || !this.#config.enabled) return nothing;
    this.#common.touch(key);
    let project = this.#projects.get(key);
    if (!project) this.#projects.set(key, (project = new Project(key)));
    return project.waiting.size > 0 || !this.#hasRoom(project)
      ? this.#wait(project, signal)
      : this.#start(project);
  }

  #hasRoom(project: Project): boolean {
    if (this.#running >= this.#config.maxRequests) return false;
    const share = this.#common.share();
    if (project.running.size < share) return true;
    this.#passLong(project);
    return project.running.size < share;
  }

  /** What takes long waits for something else: it leaves its place to the next. */
  #passLong({ running, long }: Project): void {
    const { longMs, longRequests } = this.#config;
    const startedBy = this.#now() - longMs;
    for (const one of running) {
      if (one.sinceMs > startedBy || long.size >= longRequests) return;
      running.delete(one);
      long.add(one);
      this.#running--;
    }
  }

  #start(project: Project): () => void {
    const one: Running = { sinceMs: this.#now() };
    project.running.add(one);
    this.#running++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const wasFull = this.#running >= this.#config.maxRequests;
      if (project.running.delete(one)) this.#running--;
      else project.long.delete(one);
      this.#common.touch(project.key);
      if (wasFull) this.#goRound();
      this.#goOn(project);
      this.#forget(project);
    };
  }

  /** A place came free in the project's own share. */
  #goOn(project: Project): void {
    while (project.waiting.size > 0 && this.#hasRoom(project)) this.#letNext(project);
  }

  /** A place came free that all share: it goes to the project whose turn it is. */
  #goRound(): void {
    for (const project of [...this.#ring]) {
      if (this.#running >= this.#config.maxRequests) return;
      if (!this.#hasRoom(project)) continue;
      this.#letNext(project);
      if (this.#ring.delete(project)) this.#ring.add(project);
    }
  }

  #letNext(project: Project): void {
    const [next] = project.waiting;
    next?.go();
  }

  /** Keeps nothing of a project that has nothing here. */
  #forget(project: Project): void {
    if (project.waiting.size === 0) {
      this.#ring.delete(project);
      clearInterval(project.timer);
      project.timer = undefined;
    }
    if (project.idle && this.#projects.get(project.key) === project) this.#projects.delete(project.key);
  }

  async #wait(project: Project, signal: AbortSignal): Promise<() => void> {
    const { queueLength, queueMs, longMs } = this.#config;
    if (project.waiting.size >= queueLength)
      throw SharingErrors.TOO_MANY_REQUESTS({ waiting: project.waiting.size, retryAfterMs: 1_000 });
    project.timer ??= setInterval(() => this.#goOn(project), longMs).unref();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        unhear();
        project.waiting.delete(waiting);
      };
      const timer = setTimeout(() => {
        leave();
        this.#forget(project);
        reject(SharingErrors.TURN_TIMED_OUT({ waitedMs: queueMs, retryAfterMs: 1_000 }));
      }, queueMs);
      const waiting: Waiting = {
        go: () => {
          leave();
          const end = this.#start(project);
          this.#forget(project);
          resolve(end);
        },
      };
      project.waiting.add(waiting);
      this.#ring.add(project);
      let unhear = (): void => {};
      unhear = whenAborted(signal, () => {
        leave();
        this.#forget(project);
        reject(signal.reason ?? CommonErrors.CANCELLED({ what: "The request" }));
      });
    });
  }
}
