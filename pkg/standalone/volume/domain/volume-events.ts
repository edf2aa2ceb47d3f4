/** What Compute is told, in the form of its external events. */
export interface VolumeEvent {
  readonly name: "volume-extended" | "volume-reimaged";
  readonly serverUuid: string;
  readonly volumeId: string;
}
