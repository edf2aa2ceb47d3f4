import { join } from "node:path";
import { stringify } from "yaml";
import { writeFileAtomic } from "../../../pkg/platform/files/index.js";
import type { Ports } from "./options.js";
import type { Secrets } from "./secrets.js";

interface Account {
  readonly user: string;
  readonly project: string;
  readonly password: string;
}

/** Writes `admin-openrc.sh`, `demo-openrc.sh` and `clouds.yaml`, readable by the owner only. */
export async function writeCredentials(home: string, ports: Ports, secrets: Secrets): Promise<void> {
  const authUrl = `http://127.0.0.1:${ports.identity}/v3`;
  const accounts: Readonly<Record<string, Account>> = {
    admin: { user: "admin", project: "admin", password: secrets.adminPassword },
    demo: { user: "demo", project: "demo", password: secrets.demoPassword },
  };
  for (const [name, account] of Object.entries(accounts)) {
    await writeFileAtomic(join(home, `${name}-openrc.sh`), openrc(authUrl, account));
  }
  const clouds = Object.fromEntries(
    Object.entries(accounts).map(([name, a]) => [
      name === "demo" ? "kilonova" : `kilonova-${name}`,
      {
        region_name: "RegionOne",
        identity_api_version: 3,
        auth: {
          auth_url: authUrl,
          username: a.user,
          password: a.password,
          project_name: a.project,
          user_domain_name: "Default",
          project_domain_name: "Default",
        },
      },
    ]),
  );
  await writeFileAtomic(join(home, "clouds.yaml"), stringify({ clouds }));
}

function openrc(authUrl: string, account: Account): string {
  const variables = {
    OS_AUTH_URL: authUrl,
    OS_USERNAME: account.user,
    OS_PASSWORD: account.password,
    OS_PROJECT_NAME: account.project,
    OS_USER_DOMAIN_NAME: "Default",
    OS_PROJECT_DOMAIN_NAME: "Default",
    OS_IDENTITY_API_VERSION: "3",
    OS_REGION_NAME: "RegionOne",
  };
  return `# Credentials of ${account.user}; use with: source <this file>\n${Object.entries(variables)
    .map(([k, v]) => `export ${k}='${v}'\n`)
    .join("")}${unpackedClient()}`;
}

/** Where the `openstack` command lies that was unpacked for a user who may not install it. */
function unpackedClient(): string {
  const base = process.env["KILONOVA_DEBIAN"];
  return base === undefined ? "" : `export PATH='${join(base, "bin")}':"$PATH"\n`;
}
