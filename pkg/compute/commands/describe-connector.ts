import { DescribeConnectorOutput, GuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Says who connects when a volume is attached on this host. */
const describeConnector: Command<GuestInput, DescribeConnectorOutput, never, "volumeConnector"> = {
  name: "describe-connector",
  input: GuestInput,
  output: DescribeConnectorOutput,
  capability: { name: "attach-volume", methods: ["volumeConnector"] },
  whenGivenUp: "stops",
  async run({ ctx, host }) {
    const { initiator, ...connector } = await part(ctx, "driver.volumeConnector", async (c) =>
      host.driver.volumeConnector(c),
    );
    return {
      connector: JSON.stringify({
        ...connector,
        ...(initiator === undefined ? {} : { initiator }),
        platform: process.arch === "arm64" ? "aarch64" : "x86_64",
        os_type: "linux",
        multipath: false,
        do_local_attach: false,
      }),
    };
  },
};
export default describeConnector;
