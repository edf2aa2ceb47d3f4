import { Cloud } from "../e2e/support/cloud.js";
import { GrpcUser, call } from "../e2e/support/grpc-user.js";
import type { LoadResult } from "./result.js";
import { percentiles, timed } from "./result.js";

const LISTS = 500;
const AT_ONCE = 12;
const SERVERS = 8;
/** The first once kept a connection busy for minutes; the others are what is left to try. */
const PATTERNS = [
  `${"(.+)".repeat(8)}\\8\\7\\6\\5\\4\\3\\2\\1$`,
  `${"(.+)".repeat(40)}z$`,
  "(a|a|aa)*b$",
  `${"(.*a){1,9}".repeat(12)}z`,
  "(?:.?){250}a{250}z",
];

/** One project lists by regular expressions that are meant to be slow; another one lists by a plain name. */
export async function run(): Promise<LoadResult> {
  const cloud = await Cloud.start({ portOffset: 23_000, args: ["--driver", "fake", "--hosts", "1"] });
  try {
    const [victim, attacker] = await Promise.all([
      GrpcUser.open(cloud, "admin"),
      GrpcUser.open(cloud, "demo"),
    ]);
    await victim.boot("victim");
    for (let i = 0; i < SERVERS; i++) await attacker.create(`${"a".repeat(240)}${i}`);
    const list = async (): Promise<void> => {
      const { servers, unreachableCells } = await victim.servers.listServers(call(), {
        filter: { nameRegex: "^vic" },
      });
      if (servers.length !== 1 || unreachableCells.length > 0)
        throw new Error(`the victim sees ${servers.length} servers, without ${unreachableCells.join(", ")}`);
    };
    await timed(LISTS, list); // warm
    const alone = percentiles(await timed(LISTS, list));
    const reasons = new Map<string, number>();
    let on = true;
    const attack = Array.from({ length: AT_ONCE }, async (_, i) => {
      for (let n = i; on; n++) {
        const reason = await attacker.servers
          .listServers(call(), { filter: { nameRegex: PATTERNS[n % PATTERNS.length] ?? "" } })
          .then(
            () => "answered",
            (error: unknown) => (error as { reason?: string }).reason ?? "failed",
          );
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    });
    const attacked = percentiles(await timed(LISTS, list));
    on = false;
    await Promise.all(attack);
    await Promise.all([victim, attacker].map((user) => user.channel.close()));
    return { name: "regex", victim: { alone, attacked }, facts: Object.fromEntries(reasons) };
  } finally {
    await cloud.stop();
    cloud.forget();
  }
}
