import type { Migration } from "../../platform/db/index.js";

/** Images, their tags and members. Data lies in files named after the image's id. */
export const image: Migration = {
  name: "0002-image",
  statements: [
    `CREATE TABLE image_image (
    id text CONSTRAINT image_image_pkey PRIMARY KEY, name text, owner text,
    status text NOT NULL CONSTRAINT image_image_status CHECK (status IN ('queued', 'saving', 'uploading', 'importing', 'active', 'killed', 'deactivated')),
    visibility text NOT NULL CONSTRAINT image_image_visibility CHECK (visibility IN ('public', 'private', 'shared', 'community')),
    protected boolean NOT NULL, hidden boolean NOT NULL,
    disk_format text, container_format text, min_disk int8 NOT NULL, min_ram int8 NOT NULL,
    size int8, virtual_size int8, checksum text, hash_algo text, hash_value text,
    upload_id text, properties jsonb NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE INDEX image_image_created ON image_image (created_at, id)`,
    `CREATE INDEX image_image_owner ON image_image (owner)`,
    `CREATE TABLE image_tag (
    image_id text NOT NULL REFERENCES image_image (id) ON DELETE CASCADE, tag text NOT NULL, PRIMARY KEY (image_id, tag))`,
    `CREATE TABLE image_member (
    image_id text NOT NULL CONSTRAINT image_member_image REFERENCES image_image (id) ON DELETE CASCADE, member_id text NOT NULL,
    status text NOT NULL CONSTRAINT image_member_status CHECK (status IN ('pending', 'accepted', 'rejected')),
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    CONSTRAINT image_member_pkey PRIMARY KEY (image_id, member_id))`,
    `CREATE INDEX image_member_member ON image_member (member_id)`,
  ],
};
