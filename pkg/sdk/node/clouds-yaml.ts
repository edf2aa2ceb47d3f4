import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { Auth } from "../auth/auth.js";
import type { Place } from "../auth/session.js";

/** One cloud of clouds.yaml. */
export interface CloudConfig {
  readonly auth: Auth;
  readonly place: Place;
  readonly tls: TlsConfig;
}

/** Whom to trust. */
export interface TlsConfig {
  /** File with certificates in PEM. */
  readonly cacert?: string | undefined;
  /** False takes any certificate. */
  readonly verify: boolean;
  /** Files with a certificate of one's own and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where to look, if not as usual. */
export interface CloudsYamlOptions {
  /** Name of the cloud. Default: `OS_CLOUD`, the `OS_*` variables, or the only one there is. */
  readonly cloud?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that counts as the present one. */
  readonly cwd?: string;
}

type Settings = Readonly<Record<string, unknown>>;

/** Variables that choose files and clouds, and describe none. */
const CHOOSING = new Set(["OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"]);
/** What may stand beside `auth` too, and in variables. */
const AUTH_KEYS = [
  "auth_url",
  "username",
  "user_id",
  "password",
  "user_domain_name",
  "user_domain_id",
  "project_name",
  "project_id",
  "project_domain_name",
  "project_domain_id",
  "application_credential_id",
  "application_credential_name",
  "application_credential_secret",
  "token",
];

/**
 * Reads the configuration of a cloud as openstacksdk does: clouds.yaml and secure.yaml in the present folder,
 * in `~/.config/openstack` and in `/etc/openstack` (the first of each counts), or the `OS_*` variables.
 *
 * @throws TypeError that says what is missing
 */
export function readCloudsYaml({
  cloud,
  env = process.env,
  cwd = process.cwd(),
}: CloudsYamlOptions): CloudConfig {
  const folders = [
    cwd,
    join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "openstack"),
    "/etc/openstack",
  ];
  const open = cloudsOf(readFirst("clouds", env["OS_CLIENT_CONFIG_FILE"], folders));
  const secret = cloudsOf(readFirst("secure", env["OS_CLIENT_SECURE_FILE"], folders));
  const name = cloud ?? (env["OS_CLOUD"] || undefined);
  const variables = Object.entries(env).some(([key]) => key.startsWith("OS_") && !CHOOSING.has(key));
  if (name === "envvars" || (name === undefined && variables)) return configOf(settingsOf(env));
  const only = Object.keys(open).length === 1 ? Object.keys(open)[0] : undefined;
  const chosen = name ?? only;
  if (chosen === undefined) throw new TypeError(`no cloud is named; ${known(open)}`);
  if (open[chosen] === undefined) throw new TypeError(`there is no cloud ${chosen}; ${known(open)}`);
  return configOf(merged(open[chosen], secret[chosen] ?? {}));
}

const known = (clouds: Settings): string =>
  Object.keys(clouds).length === 0
    ? "no clouds.yaml was found"
    : `there are ${Object.keys(clouds).join(", ")}`;

function readFirst(stem: string, named: string | undefined, folders: readonly string[]): unknown {
  const usual = folders.flatMap((folder) =>
    [".yaml", ".yml", ".json"].map((end) => join(folder, stem + end)),
  );
  const found = [...(named ? [named] : []), ...usual].find((path) => existsSync(path));
  return found === undefined ? undefined : parse(readFileSync(found, "utf8"));
}

const record = (value: unknown): Settings =>
  typeof value === "object" && value !== null ? { ...value } : {};
const cloudsOf = (file: unknown): Readonly<Record<string, Settings | undefined>> =>
  Object.fromEntries(
    Object.entries(record(record(file)["clouds"])).map(([name, one]) => [name, record(one)]),
  );

/** What stands in the second counts more; sections are merged key by key. */
function merged(first: Settings, second: Settings): Settings {
  const both = Object.entries(second).map(([key, value]) => [
    key,
    typeof value === "object" && value !== null ? merged(record(first[key]), record(value)) : value,
  ]);
  return { ...first, ...(Object.fromEntries(both) as Settings) };
}

/** `OS_AUTH_URL` is `auth_url`. */
const settingsOf = (env: Settings): Settings =>
  Object.fromEntries(
    Object.entries(env)
      .filter(([key, value]) => key.startsWith("OS_") && value !== "")
      .map(([key, value]) => [key.slice(3).toLowerCase(), value]),
  );

function configOf(settings: Settings): CloudConfig {
  const section = record(settings["auth"]);
  const text = (value: unknown): string | undefined =>
    value === undefined || value === null || value === "" ? undefined : String(value);
  const said = Object.fromEntries(
    AUTH_KEYS.map((key) => [camelCase(key), text(section[key]) ?? text(settings[key])]),
  );
  const authUrl = said["authUrl"];
  if (authUrl === undefined) throw new TypeError("auth_url is missing");
  return {
    auth: { ...ofType(text(settings["auth_type"]), said), authUrl },
    place: {
      region: text(settings["region_name"]),
      interface: text(settings["interface"]) ?? text(settings["endpoint_type"]),
    },
    tls: {
      cacert: text(settings["cacert"]),
      verify: !["false", "0", "no"].includes(text(settings["verify"])?.toLowerCase() ?? "true"),
      cert: text(settings["cert"]),
      key: text(settings["key"]),
    },
  };
}

/** What one logs in with, by `auth_type` without `v3`. */
const SECRETS: Readonly<Record<string, string>> = {
  password: "password",
  token: "token",
  applicationcredential: "applicationCredentialSecret",
};

/** Leaves out credentials of other types than the one that is said. @throws TypeError for unknown types */
function ofType(
  type: string | undefined,
  said: Record<string, string | undefined>,
): Record<string, string | undefined> {
  if (type === undefined) return said;
  const keep = SECRETS[type.replace(/^v3/, "").replace("application_credential", "applicationcredential")];
  if (keep === undefined) throw new TypeError(`auth_type ${type} is not known here`);
  return Object.fromEntries(
    Object.entries(said).filter(([key]) => key === keep || !Object.values(SECRETS).includes(key)),
  );
}

const camelCase = (key: string): string =>
  key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
