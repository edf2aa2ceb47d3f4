import { weighTable } from "../testing/builders.js";
import weigher from "./disk.js";

weighTable(weigher, [["is what is free", { diskGib: { capacity: 10, used: 12 } }, {}, -2]]);
