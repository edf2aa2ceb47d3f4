import { aSource, weighTable } from "../testing/builders.js";
import weigher from "./cross-cell.js";

weighTable(weigher, [
  ["prefers the source's cell", { cell: "cell1" }, { source: aSource() }, 1],
  ["takes others where they are allowed", { cell: "cell2" }, { source: aSource() }, 0],
  ["is nothing for servers that do not move", { cell: "cell1" }, {}, 0],
]);
