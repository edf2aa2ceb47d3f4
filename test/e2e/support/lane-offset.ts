/** Offsets are multiples of this, so that lanes find room between them. */
export const OFFSET_STEP = 100;

/**
 * How far each lane of a suite moves its clouds' ports, so that no two lanes ever meet, whatever offsets
 * their files have: no two ports of a cloud are a multiple of OFFSET_STEP and one of these apart.
 */
export const LANE_SHIFTS: readonly number[] = [0, 50, 11, 61];

/**
 * The offset that a file asks for, moved to where its lane's ports are.
 * @param offset  a multiple of OFFSET_STEP
 */
export function laneOffset(offset: number): number {
  if (offset % OFFSET_STEP !== 0) throw new Error(`port offset ${offset} is no multiple of ${OFFSET_STEP}`);
  const lane = Number(process.env["TEST_LANE"] ?? 1);
  const shift = LANE_SHIFTS[lane - 1];
  if (shift === undefined) throw new Error(`there are no ports for lane ${lane}`);
  return offset + shift;
}
