import { weighTable } from "../testing/builders.js";
import weigher from "./ram.js";

weighTable(weigher, [["is what is free", { memoryMib: { capacity: 1024, used: 1000 } }, {}, 24]]);
