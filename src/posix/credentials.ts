// Users and groups by name or id, with the defaults that a login has.
import { type Account, native } from '../native.js';
import * as validate from './validate.js';

/** Ids as a process takes them on; what is undefined stays. */
export interface Credentials {
  uid?: number;
  gid?: number;
  groups?: number[];
}

// (uid_t)-1 means "leave as it is" to the system calls.
const MAX_ID = 0xfffffffe;

function userId(name: string, user: unknown): { uid: number; account: Account | undefined } {
  if (typeof user !== 'string') {
    if (typeof user !== 'number') throw validate.invalidType(name, 'a user name or id', user);
    validate.integer(name, user, 0, MAX_ID);
    return { uid: user, account: native.findUser(user) };
  }
  validate.text(name, user);
  const account = native.findUser(user);
  if (!account) throw validate.invalidValue(name, 'the name of a user', user);
  return { uid: account.uid, account };
}

function groupId(name: string, group: unknown): number {
  if (typeof group !== 'string') {
    if (typeof group !== 'number') throw validate.invalidType(name, 'a group name or id', group);
    validate.integer(name, group, 0, MAX_ID);
    return group;
  }
  validate.text(name, group);
  const gid = native.findGroup(group);
  if (gid === undefined) throw validate.invalidValue(name, 'the name of a group', group);
  return gid;
}

function groupIds(name: string, groups: unknown): number[] {
  if (!Array.isArray(groups)) throw validate.invalidType(name, 'an array', groups);
  return groups.map((group, i) => groupId(`${name}[${i}]`, group));
}

/** What the options are called that user, group and supplementary groups come from: for errors. */
export interface CredentialNames {
  uid: string;
  gid: string;
  groups: string;
}

/**
 * Resolves names, and completes a user by its primary group and its supplementary groups where the caller may set them
 * (CAP_SETGID): a program that is given a user must not keep root's groups because nobody thought of them. A process
 * that may not can only become itself, and keeps what it has.
 *
 * @throws ERR_INVALID_ARG_VALUE for a name that is unknown, and for an id without an entry in the user database when
 * no group is given
 */
export function resolveCredentials(
  names: CredentialNames,
  { uid, gid, groups }: { uid?: unknown; gid?: unknown; groups?: unknown },
): Credentials {
  const result: Credentials = {};
  if (gid !== undefined) result.gid = groupId(names.gid, gid);
  if (groups !== undefined) result.groups = groupIds(names.groups, groups);
  if (uid === undefined) return result;

  const user = userId(names.uid, uid);
  result.uid = user.uid;
  if (!native.maySetGroups()) return result;
  if (result.gid === undefined) {
    if (!user.account) throw validate.invalidValue(names.gid, `given, for user ${user.uid} is unknown here`, gid);
    result.gid = user.account.gid;
  }
  result.groups ??= user.account ? native.groupsOf(user.account.name, result.gid) : [result.gid];
  return result;
}
