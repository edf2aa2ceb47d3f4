/** The database of what has no cell yet, as RPCs name it beside the cells. */
export const GLOBAL = "global";

/** The cell of servers that never got a host. It has no hosts. */
export const CELL0 = "cell0";
