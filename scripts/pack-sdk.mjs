// `npm run pack:sdk`: pkg/sdk → an npm package, pkg/sdk-python → a wheel, both in dist-sdk/.
import { packNpm, packWheel } from "./lib/sdk/pack.mjs";

console.log(await packNpm());
console.log(await packWheel());
