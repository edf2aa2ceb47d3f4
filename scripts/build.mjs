// `npm run build`; with a folder inside the project as argument, bundles into that one and leaves dist/
// alone.
import { build, bundle } from "./lib/build.mjs";

const [outdir] = process.argv.slice(2);
await (outdir ? bundle(outdir) : build());
