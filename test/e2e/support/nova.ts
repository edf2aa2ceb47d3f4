import { spawn } from "node:child_process";

/**
 * Runs the unmodified `nova` client.
 * @param credentials  the `OS_*` variables that `source …-openrc.sh` would set
 * @param typed        what it reads as if it were typed; without a terminal of its own it reads there
 * @throws with the client's own words when it fails
 */
export async function nova(
  credentials: Readonly<Record<string, string>>,
  args: readonly string[],
  typed = "",
): Promise<string> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], LANG: "C.UTF-8", ...credentials };
  const child = spawn("nova", [...args], { env, stdio: "pipe", detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  child.stdin.end(typed);
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("close", resolve).once("error", reject),
  );
  if (code !== 0) throw new Error(`nova ${args.join(" ")}: ${said}`);
  return said;
}
