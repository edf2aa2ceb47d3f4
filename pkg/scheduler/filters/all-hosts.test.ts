import { judgeTable } from "../testing/builders.js";
import filter from "./all-hosts.js";

judgeTable(filter, [["passes whoever it is", { up: false, disabled: true }, {}, ""]]);
