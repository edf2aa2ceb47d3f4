import { weighTable } from "../testing/builders.js";
import weigher from "./cpu.js";

weighTable(weigher, [["is what is free, overcommit included", { vcpus: { capacity: 32, used: 5 } }, {}, 27]]);
