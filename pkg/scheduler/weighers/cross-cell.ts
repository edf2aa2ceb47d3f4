import { hostWeigher } from "../domain/rules.js";

/** Keeps a move that may leave its cell in it where it can. @source nova CrossCellWeigher */
export default hostWeigher("CrossCellWeigher", {
  multiplierOption: "cross_cell_move_weight_multiplier",
  multiplier: 1_000_000,
  raw: (host, { source }) => (source?.cell === host.cell ? 1 : 0),
});
