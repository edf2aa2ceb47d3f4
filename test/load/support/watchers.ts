// Opens COUNT watches of the public gRPC port at ADDRESS with TOKEN, and reads them until its parent ends it.
import { EventsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import { connectRpc } from "../../../pkg/platform/rpc/index.js";
import { call } from "../../e2e/support/grpc-user.js";

const { ADDRESS = "", TOKEN = "", COUNT = "0" } = process.env;
const channel = connectRpc(ADDRESS, { token: async () => TOKEN });
const events = channel.client(EventsServiceDefinition);
let open = 0;

async function watch(): Promise<void> {
  let begun = false;
  try {
    for await (const _event of events.watchEvents(call({ deadlineMs: undefined }), {
      withOperations: true,
    })) {
      if (begun) continue;
      begun = true;
      console.log(`open ${++open}`);
    }
  } catch (error) {
    console.log(`ended ${error instanceof Error ? error.message : String(error)}`);
  }
}

await Promise.all(Array.from({ length: Number(COUNT) }, watch));
