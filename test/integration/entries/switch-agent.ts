import type { PortConfig } from "../../../pkg/compute/switch/index.js";
import { startSwitch } from "../../../pkg/compute/switch/index.js";
import { silentLogger } from "../../../pkg/kernel/index.js";

/**
 * A host's switch in a process that can be killed: `switch-agent.ts <folder of conversations> <ports as
 * JSON>`. Says `ready`.
 */
const [conversationsDir = "", ports = "[]"] = process.argv.slice(2);
const sw = await startSwitch({
  tunnel: { address: "127.0.0.1", port: 0 },
  conversationsDir,
  log: silentLogger,
  metadata: () => Promise.reject(new Error("nobody asks")),
});
for (const port of JSON.parse(ports) as PortConfig[]) await sw.setPort(port);
console.log("ready");
