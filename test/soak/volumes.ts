import { setTimeout as delay } from "node:timers/promises";
import { Random } from "../e2e/bad-input/fuzz/random.js";
import type { Answer } from "../integration/support/cluster/rest.js";
import type { SoakCloud, Tenant } from "./soak-cloud.js";

/** What a volume is wanted for: any one, or to boot a fake or a real guest from. */
export type Wanted = "any" | "fake-root" | "real-root";

/** What callers count: by kind, how often each outcome came. */
type Tell = (kind: string, outcome: string, wrong?: string) => void;

interface Volume {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}
interface Snapshot extends Volume {
  readonly volume_id: string;
}

/** Of one project. Enough to choose from, few enough to be looked through. */
const MOST_FREE = 8;
const MOST_SNAPSHOTS = 5;
/** Between two things that somebody does with volumes, ms, on average. */
const REST_MS = 1_200;
const PREFIX: Readonly<Record<Wanted, string>> = { any: "any", "fake-root": "root", "real-root": "real" };

/**
 * Users of the Block Storage service: volumes and snapshots come and go beside servers. What a volume is good
 * for stands in its name.
 */
export class Volumes {
  readonly #cloud: SoakCloud;
  readonly #tell: Tell;
  /** Volumes that a user has made, and those whose deletion a user has asked for. */
  readonly made = new Set<string>();
  readonly deleted = new Set<string>();
  /** Volumes of which there were snapshots: a server that went meanwhile has left them behind. */
  readonly snapped = new Set<string>();

  constructor(cloud: SoakCloud, tell: Tell) {
    this.#cloud = cloud;
    this.#tell = tell;
  }

  /** Makes and deletes until told to stop. */
  async live(seed: number, signal: AbortSignal): Promise<void> {
    const random = new Random(seed ^ 0x70_1e);
    while (!signal.aborted) {
      const tenant = random.pick(this.#cloud.tenants);
      await this.#do(tenant, random).catch((error: unknown) => {
        this.#tell("volumes", "no answer", String(error));
      });
      await delay(REST_MS * 2 * random.next(), undefined, { signal }).catch(() => {});
    }
  }

  /** One that is free now, as far as anybody knows. */
  async free(tenant: Tenant, wanted: Wanted, random: Random): Promise<string | undefined> {
    const found = (await this.#list(tenant)).filter(
      (one) => one.status === "available" && isFor(one, wanted),
    );
    return found.length === 0 ? undefined : random.pick(found).id;
  }

  /** Any at all, in whatever state. */
  async any(tenant: Tenant, random: Random): Promise<string | undefined> {
    const all = await this.#list(tenant);
    return all.length === 0 ? undefined : random.pick(all).id;
  }

  async snapshot(tenant: Tenant, wanted: Wanted, random: Random): Promise<string | undefined> {
    const found = (await this.#snapshots(tenant)).filter(
      (one) => one.status === "available" && isFor(one, wanted),
    );
    return found.length === 0 ? undefined : random.pick(found).id;
  }

  async #do(tenant: Tenant, random: Random): Promise<void> {
    const free = (await this.#list(tenant)).filter(({ status }) => status === "available");
    const snapshots = await this.#snapshots(tenant);
    const what = random.next();
    if (free.length < 2 || (what < 0.55 && free.length < MOST_FREE))
      return this.#make(tenant, snapshots, random);
    if (what < 0.7 && snapshots.length < MOST_SNAPSHOTS) return this.#snap(tenant, random);
    if (what < 0.8 && snapshots.length > 0) {
      const { id } = random.pick(snapshots);
      const { status } = await this.#rest(tenant).call("DELETE", `/snapshots/${id}`);
      return this.#tell("snapshot.delete", String(status), wrongOf(status));
    }
    // Now and then one that somebody has, which is refused.
    const id = random.chance(0.8) ? random.pick(free).id : await this.any(tenant, random);
    if (id === undefined) return;
    // Before it is asked: an answer that is lost may have been a yes.
    this.deleted.add(id);
    const answer = await this.#rest(tenant).call("DELETE", `/volumes/${id}`);
    if (answer.status === 400) this.deleted.delete(id);
    this.#tell("volume.delete", String(answer.status), wrongOf(answer.status));
  }

  async #make(tenant: Tenant, snapshots: readonly Snapshot[], random: Random): Promise<void> {
    const { guestImageId, imageIds } = this.#cloud;
    const wanted = random.pick<Wanted>(
      guestImageId === "" ? ["any", "fake-root"] : ["any", "any", "fake-root", "real-root"],
    );
    const snapshot = random.chance(0.2) ? snapshots.find(({ status }) => status === "available") : undefined;
    const source =
      snapshot !== undefined
        ? { snapshot_id: snapshot.id }
        : wanted === "any"
          ? {}
          : { imageRef: wanted === "real-root" ? guestImageId : random.pick(imageIds) };
    const name = snapshot?.name ?? `${PREFIX[wanted]}-${random.below(1_000)}`;
    const answer = await this.#rest(tenant).call("POST", "/volumes", {
      volume: { name, size: 1, ...source },
    });
    const id = idIn(answer, "volume");
    if (id !== undefined) this.made.add(id);
    this.#tell("volume.create", String(answer.status), wrongOf(answer.status));
  }

  async #snap(tenant: Tenant, random: Random): Promise<void> {
    const all = await this.#list(tenant);
    const roots = all.filter((one) => !isFor(one, "any"));
    const { id, name } = random.pick(roots.length > 0 && random.chance(0.7) ? roots : all);
    const { status } = await this.#rest(tenant).call("POST", "/snapshots", {
      snapshot: { volume_id: id, name },
    });
    this.#tell("snapshot.create", String(status), wrongOf(status));
  }

  async #list(tenant: Tenant): Promise<readonly Volume[]> {
    const { body } = await this.#rest(tenant).call("GET", "/volumes/detail?limit=1000");
    return (body["volumes"] ?? []) as readonly Volume[];
  }

  async #snapshots(tenant: Tenant): Promise<readonly Snapshot[]> {
    const { body } = await this.#rest(tenant).call("GET", "/snapshots/detail?limit=1000");
    const found = (body["snapshots"] ?? []) as readonly Snapshot[];
    for (const { volume_id: id } of found) this.snapped.add(id);
    return found;
  }

  #rest = (tenant: Tenant) => this.#cloud.blockStorage(tenant);
}

/** Those that boots have made have no such name, and are good for nothing. */
const isFor = ({ name }: Volume, wanted: Wanted): boolean => name.startsWith(`${PREFIX[wanted]}-`);

const wrongOf = (status: number): string | undefined =>
  status >= 500 ? `Block Storage answers ${status}` : undefined;

const idIn = ({ body }: Answer, member: string): string | undefined =>
  (body[member] as { id?: string } | undefined)?.id;
