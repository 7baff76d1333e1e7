import { below, oneOf, type Random } from './random.ts';
import { hoursBetween } from './time-of-day.ts';

/** A user and his habits. */
export interface User {
  readonly account: string;
  /** As Tencent names it in `OptPlatform`. */
  readonly platform: string;
  readonly ip: string;
  /** The hour in the middle of the time of day at which he is active. */
  readonly activeHour: number;
  isOnline: boolean;
  /** Whom he writes to. */
  readonly friends: User[];
  /** Never empty. */
  readonly groups: Group[];
}

export interface Group {
  readonly id: string;
  readonly type: string;
  readonly members: User[];
  /** Sequence number of its last message. */
  lastSeq: number;
}

const usersPerGroup = 8;
/** Those who always write, however late it is where they are. */
const sleeplessShare = 0.15;
const activeHalfHours = 6;
const maxFriends = 20;
const maxGroupsOfUser = 12;
const platforms = ['Android', 'Android', 'iOS', 'iOS', 'Web', 'Windows'] as const;
const groupTypes = ['Public', 'Private', 'ChatRoom'] as const;

/** The users of an app: of whom few write much, with friends, groups and hours of the day. */
export class Community {
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  readonly #random: Random;

  constructor(size: number, random: Random) {
    this.#random = random;
    this.groups = Array.from({ length: Math.ceil(size / usersPerGroup) }, (_, index) => ({
      id: `@TGS#${index + 1}`,
      type: groupTypes[index % groupTypes.length] ?? 'Public',
      members: [],
      lastSeq: 0,
    }));
    this.users = Array.from({ length: size }, (_, index) => aUser(`user-${index + 1}`, index, random));
    for (const user of this.users) {
      for (let count = 1 + below(random, 4); count > 0; count -= 1) this.join(user);
      for (let count = 2 + below(random, 6); count > 0; count -= 1) this.befriend(user);
    }
  }

  /** Somebody who is active at this hour of the day. */
  someone(hour: number): User {
    for (;;) {
      // The square makes those with low numbers write much more than others.
      const share = this.#random() ** 2;
      const user = this.users[Math.floor(share * this.users.length)];
      if (user === undefined) continue;
      const isActive = hoursBetween(user.activeHour, hour) <= activeHalfHours;
      if (isActive || this.#random() < sleeplessShare) return user;
    }
  }

  /** Makes the user a member of a group that he was not in; large groups grow. `undefined` when he is in enough. */
  join(user: User): Group | undefined {
    if (user.groups.length >= maxGroupsOfUser) return undefined;
    const group = this.groups[Math.floor(this.#random() ** 2 * this.groups.length)];
    if (group === undefined || user.groups.includes(group)) return undefined;
    group.members.push(user);
    user.groups.push(group);
    return group;
  }

  /** Takes the user out of one of his groups; `undefined` when it is his last. */
  leave(user: User): Group | undefined {
    if (user.groups.length < 2) return undefined;
    const [group] = user.groups.splice(below(this.#random, user.groups.length), 1);
    group?.members.splice(group.members.indexOf(user), 1);
    return group;
  }

  /** Gives the user one more friend; `undefined` when it was one already. */
  befriend(user: User): User | undefined {
    const other = oneOf(this.#random, this.users);
    if (other === user || user.friends.includes(other)) return undefined;
    user.friends.push(other);
    if (user.friends.length > maxFriends) user.friends.shift();
    return other;
  }
}

/** Somebody outside of a community's habits, who writes to others of it. */
export function aStranger(account: string, community: Community, random: Random): User {
  const stranger = aUser(account, 0, random);
  stranger.groups.push(...community.groups);
  stranger.friends.push(...community.users.slice(0, maxFriends));
  return stranger;
}

/** Addresses are those that are kept free for documents (RFC 2544). */
function aUser(account: string, index: number, random: Random): User {
  return {
    account,
    platform: oneOf(random, platforms),
    ip: `198.${18 + ((index >>> 16) & 1)}.${(index >>> 8) & 255}.${index & 255}`,
    // Mostly in the evening: the sum of several is near its middle.
    activeHour: (44 + (random() + random() + random() - 1.5) * 10) % 24,
    isOnline: random() < 0.5,
    friends: [],
    groups: [],
  };
}
