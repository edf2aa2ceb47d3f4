import type { Migration } from "../../platform/db/index.js";

/**
 * Every id that an image ever had. Ids are named in other places (servers, other images, users' notes): one
 * that was given is never given again, also after its image is deleted.
 */
export const imageIds: Migration = {
  name: "0006-image-ids",
  statements: [
    `CREATE TABLE image_id (id text CONSTRAINT image_id_pkey PRIMARY KEY)`,
    `INSERT INTO image_id (id) SELECT id FROM image_image`,
    `ALTER TABLE image_image ADD CONSTRAINT image_image_id FOREIGN KEY (id) REFERENCES image_id (id)`,
  ],
};
