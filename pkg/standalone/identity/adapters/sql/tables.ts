import type { Instant } from "../../../../kernel/index.js";
import type { Json } from "../../domain/model.js";

interface AnnotatedColumns {
  options: Json;
  extra: Json;
}

/** Rows of the Identity tables (migrations/0001-identity.ts, 0005-identity-attributes.ts). */
export interface IdentityTables {
  identity_domain: AnnotatedColumns & { id: string; name: string; enabled: boolean; description: string };
  identity_project: AnnotatedColumns & {
    id: string;
    name: string;
    enabled: boolean;
    description: string;
    tags: string[];
    domain_id: string;
    parent_id: string;
  };
  identity_user: AnnotatedColumns & {
    id: string;
    name: string;
    enabled: boolean;
    description: string;
    email: string | null;
    domain_id: string;
    default_project_id: string | null;
    password_hash: string | null;
  };
  identity_role: AnnotatedColumns & { id: string; name: string; description: string };
  identity_implied_role: { prior_role_id: string; implied_role_id: string };
  identity_assignment: {
    user_id: string;
    target: string;
    role_id: string;
    project_id: string | null;
    domain_id: string | null;
  };
  identity_application_credential: {
    id: string;
    name: string;
    description: string;
    secret_hash: string;
    user_id: string;
    project_id: string;
    role_ids: string[];
    unrestricted: boolean;
    expires_at: Instant | null;
  };
  identity_token: {
    token_hash: Buffer;
    audit_id: string;
    chain_id: string;
    user_id: string;
    scope: "unscoped" | "project" | "domain" | "system";
    project_id: string | null;
    domain_id: string | null;
    application_credential_id: string | null;
    methods: string[];
    issued_at: Instant;
    expires_at: Instant;
  };
}
