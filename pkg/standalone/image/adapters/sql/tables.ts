import type { Instant } from "../../../../kernel/index.js";
import type { ImageStatus, MemberStatus, Visibility } from "../../domain/model.js";

/** Rows of the Image tables (migrations/0002-image.ts). */
export interface ImageTables {
  image_id: { id: string };
  image_image: {
    id: string;
    name: string | null;
    owner: string | null;
    status: ImageStatus;
    visibility: Visibility;
    protected: boolean;
    hidden: boolean;
    disk_format: string | null;
    container_format: string | null;
    min_disk: number;
    min_ram: number;
    size: number | null;
    virtual_size: number | null;
    checksum: string | null;
    hash_algo: string | null;
    hash_value: string | null;
    upload_id: string | null;
    properties: Record<string, string>;
    created_at: Instant;
    updated_at: Instant;
  };
  image_tag: { image_id: string; tag: string };
  image_member: {
    image_id: string;
    member_id: string;
    status: MemberStatus;
    created_at: Instant;
    updated_at: Instant;
  };
}
