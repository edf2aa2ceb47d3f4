import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * What this machine has of its own and a new one needs as well: apt's and npm's settings and the authorities
 * that they trust.
 */
const SETTINGS = [
  "/etc/apt",
  "/etc/ssl/certs",
  "/usr/local/share/ca-certificates",
  "/etc/resolv.conf",
  "/etc/npmrc",
  "/usr/etc/npmrc",
  "/usr/local/etc/npmrc",
];

/** A freshly installed Debian with Node.js and git, as a folder; made once. */
export function debian(cache: string): string {
  const base = join(cache, "base");
  if (existsSync(join(base, ".complete"))) return base;
  rmSync(base, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  console.log("Making a new Debian (some minutes) …");
  const made = spawnSync(
    "debootstrap",
    ["--variant=minbase", "--include=git,ca-certificates,sudo", "bookworm", base],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (made.status !== 0) throw new Error("debootstrap failed; is the package installed?");
  const npm = realpathSync(join(dirname(process.execPath), "npm"));
  const npmRoot = join(dirname(npm), "..");
  cpSync(realpathSync(process.execPath), join(base, "usr/bin/node"));
  cpSync(npmRoot, join(base, "usr/lib/node_modules/npm"), { recursive: true });
  for (const tool of ["npm", "npx"])
    spawnSync("ln", ["-sf", `../lib/node_modules/npm/bin/${tool}-cli.js`, join(base, "usr/bin", tool)]);
  for (const path of SETTINGS.filter((one) => existsSync(one))) {
    // Links in the new machine lead out of it as long as nobody lives there.
    rmSync(join(base, path), { recursive: true, force: true });
    cpSync(realpathSync(path), join(base, path), { recursive: true, dereference: true });
  }
  const npmrc = join(homedir(), ".npmrc");
  for (const home of ["root", "etc/skel"]) if (existsSync(npmrc)) cpSync(npmrc, join(base, home, ".npmrc"));
  writeFileSync(join(base, ".complete"), "");
  return base;
}

/** A machine of its own over that Debian: changes stay with it, processes end with it. */
export class Machine {
  readonly #base: string;
  readonly #project: string;
  readonly #dir = mkdtempSync(join(tmpdir(), "kilonova-newcomer-"));

  /** @param project  repository that newcomers clone, at `/project` */
  constructor(base: string, project: string) {
    this.#base = base;
    this.#project = project;
    for (const name of ["upper", "work", "root"]) mkdirSync(join(this.#dir, name));
  }

  /** Runs a script of root's. @returns its exit code and output; each line is shown as it comes */
  run(
    script: string,
    options: { readonly offline?: boolean; readonly label: string },
  ): Promise<{ readonly code: number; readonly text: string }> {
    const at = (name: string): string => join(this.#dir, name);
    const setUp = [
      `mount -t overlay overlay -o lowerdir=${this.#base},upperdir=${at("upper")},workdir=${at("work")} ${at("root")}`,
      `mount -t proc proc ${at("root")}/proc`,
      `mount --rbind /dev ${at("root")}/dev`,
      `mount -t tmpfs tmpfs ${at("root")}/tmp`,
      `mkdir -p ${at("root")}/project`,
      `mount --bind ${this.#project} ${at("root")}/project`,
      "ip link set lo up 2>/dev/null || true",
    ].join(" && ");
    const namespaces = [
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      ...(options.offline === true ? ["--net"] : []),
    ];
    return new Promise((resolve) => {
      const child = spawn(
        "unshare",
        [...namespaces, "sh", "-c", `${setUp} && exec chroot ${at("root")} /bin/bash -s`],
        { stdio: ["pipe", "pipe", "pipe"], env: environment() },
      );
      let text = "";
      const take = (chunk: Buffer): void => {
        text += chunk.toString();
        process.stdout.write(chunk.toString().replace(/^(?=.)/gm, `${options.label} | `));
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.on("close", (code) => resolve({ code: code ?? 1, text }));
      child.stdin.end(script);
    });
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/**
 * As after a log-in; the authorities that this machine's programs trust are named by variables on some
 * machines.
 */
function environment(): Record<string, string> {
  const passed = Object.entries(process.env).filter(([name]) => /(_CA_|CA_BUNDLE|SSL_CERT)/.test(name)) as [
    string,
    string,
  ][];
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    TERM: "dumb",
    HOME: "/root",
    ...Object.fromEntries(passed),
  };
}
