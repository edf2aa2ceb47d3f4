// A process of its own, so that what an attacker's client costs is not the victim's: floods an address over
// many connections until its input ends, and then says how often it was answered, by status.
import { Agent, request } from "node:http";

interface Flood {
  readonly base: string;
  readonly token: string;
  readonly paths: readonly string[];
  readonly connections: number;
}

const { base, token, paths, connections } = JSON.parse(process.argv[2] ?? "{}") as Flood;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const answers: Record<string, number> = {};
let ended = false;
process.stdin.on("end", () => (ended = true)).resume();

function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    request(`${base}${path}`, { agent, headers: { "X-Auth-Token": token } }, (res) => {
      res.resume().on("end", () => resolve(String(res.statusCode)));
    })
      .on("error", (error) => resolve(error.message))
      .end();
  });
}

await Promise.all(
  Array.from({ length: connections }, async (_, first) => {
    for (let i = first; !ended; i++) {
      const answer = await ask(paths[i % paths.length] ?? "/");
      answers[answer] = (answers[answer] ?? 0) + 1;
    }
  }),
);
agent.destroy();
process.stdout.write(`${JSON.stringify(answers)}\n`);
