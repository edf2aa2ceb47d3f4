/** Fails as a transaction does that met another one. PostgreSQL's own: no code of ours sends the like. */
export const A_CONFLICT = "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$";
