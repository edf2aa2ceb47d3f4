import { z } from "zod";

const isAddressOrEmpty = (text: string): boolean => text === "" || URL.canParse(text);

/** Options of the api service. */
export const apiConfigSchema = z.object({
  cellTimeoutMs: z
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe("How long the first silence of a cell may take before it counts as down, ms."),
  downCellTimeoutMs: z
    .number()
    .int()
    .min(10)
    .default(300)
    .describe("How long a request waits for a cell that counts as down, ms."),
  cellListTtlMs: z
    .number()
    .int()
    .min(0)
    .default(5_000)
    .describe("How long the list of cells is believed, ms."),
  hostListTtlMs: z
    .number()
    .int()
    .min(0)
    .default(1_000)
    .describe("How long the state of hosts is believed when servers and zones are shown, ms."),
  mappingCacheSize: z
    .number()
    .int()
    .min(0)
    .default(100_000)
    .describe("Servers whose database is remembered."),
  serverCacheBytes: z
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .describe("Memory for servers as lists have shown them."),
  bookmarkIntervalMs: z
    .number()
    .int()
    .min(100)
    .default(5_000)
    .describe("How often a quiet watch gets a newer resume token, ms."),
  maxWatches: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe("Open WatchEvents of this process; more are refused with TOO_MANY_WATCHES."),
  maxWatchesPerProject: z.number().int().min(1).default(200).describe("Of these, from one project."),
  maxWatchesPerUser: z.number().int().min(1).default(100).describe("Of these, from one user."),
  watchBufferBytes: z
    .number()
    .int()
    .min(1_024)
    .default(256 * 1024)
    .describe("What may wait in memory for one slow watch of one database; then it reads the database."),
  watchBuffersTotalBytes: z
    .number()
    .int()
    .min(1_024)
    .default(32 * 1024 * 1024)
    .describe("The same for all watches of this process together."),
  watchHistoryReads: z
    .number()
    .int()
    .min(1)
    .default(8)
    .describe("Reads of history at once, for watches that resume far back or are slow."),
  defaultWaitMs: z
    .number()
    .int()
    .min(0)
    .default(60_000)
    .describe("How long WaitOperation waits when the caller does not say, ms."),
  imageWaitMs: z
    .number()
    .int()
    .min(0)
    .default(10_000)
    .describe(
      "How long the answer to a request for a server's image waits until the Image service has the image, ms; then it comes without.",
    ),
  portsWaitMs: z
    .number()
    .int()
    .min(0)
    .default(5_000)
    .describe(
      "How long the answer to a change of a server's security groups or addresses waits until the server tells of it, ms; then it comes all the same.",
    ),
  forceConfigDrive: z
    .boolean()
    .default(false)
    .describe("Whether every new server gets a config drive, whatever the request says."),
  defaultAvailabilityZone: z
    .string()
    .default("")
    .describe("Zone of servers whose request names none; empty for any."),
  allowResizeToSameHost: z
    .boolean()
    .refine((asked) => !asked, "is not built yet: a resize always looks for another host, so leave it out")
    .default(false)
    .describe("Whether a resize may keep the server on its host; only false so far."),
  novncBaseUrl: z
    .string()
    .refine(isAddressOrEmpty, "must be an address")
    .default("")
    .describe(
      "Address of the console proxy's page for VNC, as browsers reach it, such as https://console.example.com/vnc_auto.html; empty: no such consoles (one process for all sets its own).",
    ),
  serialBaseUrl: z
    .string()
    .refine(isAddressOrEmpty, "must be an address")
    .default("")
    .describe(
      "Address of the console proxy for serial consoles, such as wss://console.example.com/; empty: no such consoles (one process for all sets its own).",
    ),
  consoleTokenTtlMs: z
    .number()
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(600_000)
    .describe("How long a console's address is good, ms."),
  maxLocalBlockDevices: z
    .number()
    .int()
    .min(-1)
    .default(3)
    .describe("Local disks one server may have; -1 is unlimited."),
});

export type ApiConfig = Readonly<z.output<typeof apiConfigSchema>>;
