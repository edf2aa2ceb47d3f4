/**
 * Who the caller is, and for which project: what stands under `auth` in clouds.yaml, in camelCase. One of
 * password, application credential and token.
 */
export interface Auth {
  /** Identity's address, with or without `/v3`. */
  readonly authUrl: string;
  readonly username?: string | undefined;
  readonly userId?: string | undefined;
  readonly password?: string | undefined;
  readonly userDomainName?: string | undefined;
  readonly userDomainId?: string | undefined;
  readonly projectName?: string | undefined;
  readonly projectId?: string | undefined;
  readonly projectDomainName?: string | undefined;
  readonly projectDomainId?: string | undefined;
  readonly applicationCredentialId?: string | undefined;
  /** Needs the user. */
  readonly applicationCredentialName?: string | undefined;
  readonly applicationCredentialSecret?: string | undefined;
  /** A token that somebody else got. With a project, a new one for that project is asked for. */
  readonly token?: string | undefined;
}

/** The body of `POST /v3/auth/tokens`. @throws TypeError when there is nothing to log in with */
export function loginBody(auth: Auth): object {
  const scope = scopeOf(auth);
  return { auth: { identity: identityOf(auth), ...(scope ? { scope } : {}) } };
}

function identityOf(auth: Auth): object {
  const { applicationCredentialId: id, applicationCredentialName: name } = auth;
  if (auth.applicationCredentialSecret !== undefined)
    return {
      methods: ["application_credential"],
      application_credential: {
        ...(id === undefined ? { name, user: userOf(auth) } : { id }),
        secret: auth.applicationCredentialSecret,
      },
    };
  if (auth.password !== undefined)
    return { methods: ["password"], password: { user: { ...userOf(auth), password: auth.password } } };
  if (auth.token !== undefined) return { methods: ["token"], token: { id: auth.token } };
  throw new TypeError("neither a password nor an application credential nor a token is given");
}

function userOf({ userId, username, userDomainId, userDomainName }: Auth): object {
  if (userId !== undefined) return { id: userId };
  if (username === undefined) throw new TypeError("no user is given");
  return { name: username, domain: domainOf(userDomainId, userDomainName) };
}

/** Application credentials have a project of their own. */
function scopeOf(auth: Auth): object | undefined {
  const { projectId, projectName, projectDomainId, projectDomainName } = auth;
  if (auth.applicationCredentialSecret !== undefined) return undefined;
  if (projectId !== undefined) return { project: { id: projectId } };
  if (projectName === undefined) return undefined;
  return { project: { name: projectName, domain: domainOf(projectDomainId, projectDomainName) } };
}

const domainOf = (id: string | undefined, name: string | undefined): object =>
  id === undefined && name !== undefined ? { name } : { id: id ?? "default" };
