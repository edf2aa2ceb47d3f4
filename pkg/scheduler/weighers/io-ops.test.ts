import { weighTable } from "../testing/builders.js";
import weigher from "./io-ops.js";

weighTable(weigher, [["is the number of operations", { ioOps: 3 }, {}, 3]]);
