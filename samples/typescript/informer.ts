// Tells what happens to the project's servers, until it is interrupted. Goes on over restarts of the cloud.
import { Kilonova, VmState } from "kilonova-sdk";

const cloud = await Kilonova.fromCloudsYaml();
const informer = cloud.servers.informer({
  // All that the cache keeps of a server.
  keep: (server) => ({ name: server.name, state: VmState[server.vmState] }),
  onChange: (change) => {
    const { name, state } = change.type === "deleted" ? change.before : change.now;
    console.log(change.type, change.id, name, state);
  },
});
process.once("SIGINT", () => informer.close());
await informer.ready();
console.log(`${informer.size} servers`);
await informer.closed();
cloud.close();
