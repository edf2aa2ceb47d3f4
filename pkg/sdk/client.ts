import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Session } from "./auth/session.js";
import type { Backoff } from "./backoff.js";
import { BACKOFF } from "./backoff.js";
import { Caller } from "./calls.js";
import { KilonovaError } from "./errors.js";
import type { Server, WatchEventsRequestSchema, WatchEventsResponse } from "./messages.gen.js";
import type { InformerOptions } from "./informer.js";
import { Informer } from "./informer.js";
import { Events, Resources, Servers } from "./resources.gen.js";
import type { Watch, WatchOptions } from "./watch.js";

/** Servers, and what happens to them. */
export class LiveServers extends Servers {
  readonly #events: Events;

  constructor(caller: Caller) {
    super(caller);
    this.#events = new Events(caller);
  }

  /** What happens to servers from now on, or from a resume token. */
  watch(
    request: MessageInitShape<typeof WatchEventsRequestSchema> = {},
    options: WatchOptions = {},
  ): Watch<WatchEventsResponse> {
    return this.#events.watch(request, options);
  }

  /** A cache of servers that keeps itself up to date. Close it when it is no longer needed. */
  informer<T = Server>(options: InformerOptions<T> = {}): Informer<T> {
    const { allProjects = false } = options;
    return new Informer(
      {
        pages: (request) => this.list(request).pages(),
        watch: (resumeToken, signal) => this.watch({ resumeToken, allProjects }, { signal }),
      },
      options,
    );
  }
}

/** How a client behaves. */
export interface ClientOptions {
  readonly backoff?: Backoff | undefined;
}

/** A cloud, for one user and project. */
export class Client extends Resources {
  override readonly servers: LiveServers;
  /** The login: tokens, endpoints, and REST of other services. */
  readonly session: Session;
  readonly #close: () => void;

  constructor(
    session: Session,
    transport: Transport & { close?(): void },
    { backoff = BACKOFF }: ClientOptions = {},
  ) {
    const caller = new Caller(transport, session, backoff);
    super(caller);
    this.servers = new LiveServers(caller);
    this.session = session;
    this.#close = () => transport.close?.();
  }

  /**
   * An image by its name, as Image tells of it.
   *
   * @throws KilonovaError NOT_FOUND when there is none that is ready
   */
  async findImage(name: string): Promise<{ readonly id: string; readonly name: string }> {
    const query = `?${new URLSearchParams({ name, status: "active", limit: "1" }).toString()}`;
    const answer = await this.session.fetch("image", `/v2/images${query}`);
    if (!answer.ok)
      throw new KilonovaError(`Image answered ${answer.status}`, {
        code: "UNAVAILABLE",
        reason: "UNAVAILABLE",
      });
    const [image] = ((await answer.json()) as { images: { id: string; name: string }[] }).images;
    if (image) return image;
    throw new KilonovaError(`there is no image ${name}`, { code: "NOT_FOUND", reason: "IMAGE_NOT_FOUND" });
  }

  /** Lets go of the connection. */
  close(): void {
    this.#close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
