import { weighTable, withInstances } from "../testing/builders.js";
import weigher from "./num-instances.js";

weighTable(weigher, [["is the number of instances", { instances: withInstances("a", "b") }, {}, 2]]);
