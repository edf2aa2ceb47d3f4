import { z } from "zod";
import { secret } from "../../pkg/platform/config/index.js";
import { restConfig } from "../../pkg/platform/http/index.js";
import { loginsConfig } from "../../pkg/standalone/identity/index.js";
import { databaseConfig } from "../../pkg/platform/service/index.js";
import { imageConfig } from "../../pkg/standalone/image/index.js";
import { volumeConfig } from "../../pkg/standalone/volume/index.js";

const port = (value: number, service: string) =>
  z.number().int().min(0).max(65_535).default(value).describe(`Port of ${service}; 0 takes any free one.`);
const password = (user: string) =>
  secret(z.string().default("")).describe(`First password of the user ${user}; must be set.`);

const standaloneConfig = z
  .object({
    host: z.string().default("127.0.0.1").describe("Address to listen on; the catalog names it too."),
    identityPort: port(5000, "Identity"),
    imagePort: port(9292, "Image"),
    networkPort: port(9696, "Network"),
    volumePort: port(8776, "Block Storage"),
    region: z.string().default("RegionOne").describe("Region of all endpoints."),
    computeUrl: z.string().default("http://127.0.0.1:8774/v2.1").describe("Compute in the catalog."),
    placementUrl: z.string().default("http://127.0.0.1:8778").describe("Placement in the catalog."),
    imageDir: z.string().default("/var/lib/kilonova/images").describe("Folder of the images' data."),
    volumeDir: z
      .string()
      .default("/var/lib/kilonova/volumes")
      .describe("Folder of the volumes' data. The hosts must be on this machine: they open sockets in it."),
    volumeIsolation: z
      .enum(["auto", "strict", "best-effort"])
      .default("auto")
      .describe(
        "How much isolation the daemons of volumes must have: `auto` is `strict` for root and `best-effort` for others.",
      ),
    privateCidr: z.string().default("192.168.233.0/24").describe("Range of the shared network `private`."),
    dnsNameservers: z.array(z.string()).default([]).describe("Name servers that DHCP tells guests."),
    adminPassword: password("admin"),
    demoPassword: password("demo"),
    servicePassword: password("nova"),
  })
  .describe("Identity, Image, Network and Block Storage for one machine and for tests.");

export const sections = {
  database: databaseConfig,
  standalone: standaloneConfig,
  logins: loginsConfig,
  image: imageConfig,
  volume: volumeConfig,
  rest: restConfig,
} as const;
