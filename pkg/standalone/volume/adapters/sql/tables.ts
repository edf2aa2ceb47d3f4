import type { Instant } from "../../../../kernel/index.js";
import type {
  AttachStatus,
  SnapshotStatus,
  SnapshotTask,
  VolumeStatus,
  VolumeTask,
} from "../../domain/model.js";

type Texts = Readonly<Record<string, string>>;
type Json = Readonly<Record<string, unknown>>;

/** Rows of the Block Storage tables (migrations/0007-volume.ts). */
export interface VolumeTables {
  volume_type: {
    id: string;
    name: string;
    description: string | null;
    is_public: boolean;
    extra_specs: Texts;
    created_at: Instant;
  };
  volume_volume: {
    id: string;
    name: string;
    description: string;
    project_id: string;
    user_id: string;
    size_gib: number;
    status: VolumeStatus;
    previous_status: VolumeStatus | null;
    task: VolumeTask | null;
    bootable: boolean;
    multiattach: boolean;
    read_only: boolean;
    type_id: string;
    snapshot_id: string | null;
    source_volid: string | null;
    availability_zone: string;
    metadata: Texts;
    image_metadata: Texts;
    created_at: Instant;
    updated_at: Instant;
  };
  volume_snapshot: {
    id: string;
    name: string;
    description: string;
    volume_id: string;
    project_id: string;
    user_id: string;
    size_gib: number;
    status: SnapshotStatus;
    task: SnapshotTask | null;
    metadata: Texts;
    created_at: Instant;
    updated_at: Instant;
  };
  volume_attachment: {
    id: string;
    volume_id: string;
    project_id: string;
    instance_uuid: string | null;
    status: AttachStatus;
    mode: "rw" | "ro" | null;
    mountpoint: string | null;
    connector: Json | null;
    connection_info: Json | null;
    attached_at: Instant | null;
    created_at: Instant;
  };
  volume_quota: { project_id: string; resource: string; quota: number };
}
