/** Holds a key in etcd until it is killed: `lease-holder.ts <endpoint> <key> <ttlMs>`. */
import { connectEtcd } from "../../../pkg/platform/coordination/index.js";
import { testCtx } from "../../../pkg/testkit/ctx.js";

const [endpoint = "", key = "", ttlMs = "5000"] = process.argv.slice(2);
const ctx = testCtx({ deadlineMs: undefined });
const store = await connectEtcd({ endpoints: [endpoint] });
const lease = await store.grant(ctx, Number(ttlMs));
await lease.put(ctx, key, String(process.pid));
console.log(`held ${lease.id}`);
